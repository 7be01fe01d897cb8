/** What outlives a reload: the part of `localStorage` the client uses, made safe to call. */

export interface KeyValueStorage {
  readonly length: number;
  key(index: number): string | null;
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

/** Storage that forgets: for drawing on the server, and for programs without a browser. */
export class MemoryStorage implements KeyValueStorage {
  readonly #items = new Map<string, string>();

  get length(): number {
    return this.#items.size;
  }

  key(index: number): string | null {
    return [...this.#items.keys()][index] ?? null;
  }

  getItem(key: string): string | null {
    return this.#items.get(key) ?? null;
  }

  setItem(key: string, value: string): void {
    this.#items.set(key, value);
  }

  removeItem(key: string): void {
    this.#items.delete(key);
  }
}

/** The value under a key, or undefined when it is absent or no JSON (another program's, or torn). */
export function readJson(storage: KeyValueStorage, key: string): unknown {
  try {
    return JSON.parse(storage.getItem(key) ?? "");
  } catch {
    return undefined;
  }
}

/** Stores a value as JSON. False when the browser refuses (quota, private mode). */
export function writeJson(
  storage: KeyValueStorage,
  key: string,
  value: unknown,
): boolean {
  try {
    storage.setItem(key, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}

/** All keys that begin with `prefix`. */
export function keysWithPrefix(
  storage: KeyValueStorage,
  prefix: string,
): string[] {
  const keys = Array.from(
    { length: storage.length },
    (_, index) => storage.key(index) ?? "",
  );
  return keys.filter((key) => key.startsWith(prefix));
}
