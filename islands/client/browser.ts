/** What a browser may refuse or not know, with what stands in for it: the page works without. */

import { type KeyValueStorage, MemoryStorage } from "./storage/storage.ts";

/** What is used of `navigator.locks`. */
export interface LockQueue {
  request<T>(name: string, run: () => Promise<T>): Promise<T>;
}

/** The browser's time zone as an IANA name; UTC when the browser does not know or names an unknown one. */
export function localTimeZone(): string {
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  return isTimeZone(timeZone) ? timeZone : "UTC";
}

/** Whether times can be shown in a zone of this name. */
export function isTimeZone(timeZone: string): boolean {
  try {
    return !!new Intl.DateTimeFormat("en", { timeZone });
  } catch {
    return false;
  }
}

/**
 * The browser's storage, or one in memory where there is none, it is forbidden or broken.
 *
 * @param open gives the storage; may throw
 */
export function openStorage(
  open: () => KeyValueStorage | null,
): KeyValueStorage {
  try {
    const storage = open();
    // A broken one throws only when it is read.
    storage?.getItem("");
    if (storage) return storage;
  } catch {
    // Where cookies are blocked.
  }
  return new MemoryStorage();
}

/** Locks that let the work go on where the browser refuses a lock: tabs are then not kept apart. */
export function lenientLocks(
  locks: LockQueue | undefined,
): LockQueue | undefined {
  return locks && {
    request(name, run) {
      let isGranted = false;
      const granted = () => {
        isGranted = true;
        return run();
      };
      return locks.request(name, granted).catch((error) => {
        if (isGranted) throw error;
        return run();
      });
    },
  };
}
