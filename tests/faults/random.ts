/**
 * Random numbers that a seed brings back. Every actor of a fault run draws from a stream of its own
 * ({@link Random.fork}), so that one that draws more does not change what the others do.
 */

export class Random {
  readonly #seed: number;
  #state: number;

  /** @param seed a whole number; only its lowest 32 bits count */
  constructor(seed: number) {
    this.#seed = this.#state = seed >>> 0;
  }

  /** A stream that depends on this one's seed and on the name alone. */
  fork(name: string): Random {
    return new Random(mix(this.#seed ^ hash(name)));
  }

  /** In [0, 1). Mulberry32: small and fast, and plenty for a schedule; not for secrets. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    return mix(this.#state) / 2 ** 32;
  }

  /** A whole number from `min` to `max`, both included. */
  int(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1));
  }

  /** Whether something with this probability happens. */
  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(items: readonly T[]): T {
    if (items.length === 0) throw new RangeError("nothing to pick from");
    return items[this.int(0, items.length - 1)]!;
  }

  /** A waiting time with this mean, exponentially distributed, at most five times as long. */
  pause(mean: number): number {
    return Math.min(5, -Math.log(1 - this.next())) * mean;
  }

  /** A copy in random order. */
  shuffle<T>(items: readonly T[]): T[] {
    const shuffled = [...items];
    for (let index = shuffled.length - 1; index > 0; index--) {
      const other = this.int(0, index);
      [shuffled[index], shuffled[other]] = [shuffled[other]!, shuffled[index]!];
    }
    return shuffled;
  }
}

/** Spreads 32 bits over 32 bits: the finishing steps of Mulberry32. */
function mix(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 15), value | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return (mixed ^ (mixed >>> 14)) >>> 0;
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const character of text) {
    value = Math.imul(value ^ character.codePointAt(0)!, 0x01000193);
  }
  return value >>> 0;
}
