/** Removes what users have left in a browser when they have signed out. */

import {
  DEVICE_USER_KEY,
  DRAFT_PREFIX,
  OUTBOX_PREFIX,
} from "../storage/device.ts";
import { LAST_SEEN_KEY, POSITIONS_KEY } from "../rooms/positions.ts";
import {
  keysWithPrefix,
  type KeyValueStorage,
  readJson,
} from "../storage/storage.ts";

/** Caches of the service worker that hold pages begin so. */
export const PAGES_PREFIX = "chatket-pages-";

/** Set by the server when a user signs out: whose traces are to go. */
const LEFT_COOKIE = /(?:^|; )chatket_left=([\w-]+)/;

/** Removes all that a user has left in a storage. Other tabs learn of it by the first key. */
function forgetUser(storage: KeyValueStorage, userId: string): void {
  const last = readJson(storage, DEVICE_USER_KEY);
  if (last === userId || last === undefined) {
    storage.removeItem(DEVICE_USER_KEY);
    storage.removeItem(LAST_SEEN_KEY);
    storage.removeItem(POSITIONS_KEY);
  }
  for (const prefix of [DRAFT_PREFIX, OUTBOX_PREFIX]) {
    for (const key of keysWithPrefix(storage, `${prefix}${userId}:`)) {
      storage.removeItem(key);
    }
  }
}

/**
 * Removes what a user who has signed out has left in this browser, if there is one. To be called by
 * each page before it reads anything.
 *
 * @param tabStorage the tab's own, which no other tab can clear: only the last user's drafts stay
 */
export function forgetWhoLeft(
  document: { cookie: string },
  storage: KeyValueStorage,
  tabStorage: KeyValueStorage,
  caches: CacheStorage | undefined,
): void {
  const left = LEFT_COOKIE.exec(readCookies(document))?.[1];
  if (left !== undefined) {
    forgetUser(storage, left);
    forgetUser(tabStorage, left);
    forgetPages(caches).catch(() => {});
    document.cookie = "chatket_left=; Path=/; Max-Age=0";
  }
  const last = readJson(storage, DEVICE_USER_KEY);
  for (const key of keysWithPrefix(tabStorage, DRAFT_PREFIX)) {
    if (!key.startsWith(`${DRAFT_PREFIX}${last}:`)) tabStorage.removeItem(key);
  }
}

/** Where the browser refuses cookies, reading them throws; nobody was signed in there. */
function readCookies(document: { cookie: string }): string {
  try {
    return document.cookie;
  } catch {
    return "";
  }
}

async function forgetPages(caches: CacheStorage | undefined): Promise<void> {
  for (const name of await caches?.keys() ?? []) {
    if (name.startsWith(PAGES_PREFIX)) await caches?.delete(name);
  }
}
