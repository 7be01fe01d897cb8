/**
 * A map that remembers at least its newest `capacity` entries, and at most twice as many.
 *
 * Two generations: when the young one is full it becomes the old one, and what was old is forgotten
 * at once. Deleting single entries from the front of a large `Map` costs far more.
 */
export class RecentMap<K, V> {
  #young = new Map<K, V>();
  #old = new Map<K, V>();
  readonly #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get(key: K): V | undefined {
    return this.#young.get(key) ?? this.#old.get(key);
  }

  set(key: K, value: V): void {
    this.#young.set(key, value);
    if (this.#young.size < this.#capacity) return;
    this.#old = this.#young;
    this.#young = new Map();
  }
}
