interface Queue {
  running: number;
  readonly waiting: (() => void)[];
}

/** Lets so many run at once under one key; the others wait, first come, first served. */
export class Turns {
  readonly #atOnce: number;
  readonly #queues = new Map<string, Queue>();

  constructor(atOnce: number) {
    this.#atOnce = atOnce;
  }

  /** Resolves when it is the caller's turn, which ends with {@link give}. */
  take(key: string): Promise<void> | undefined {
    let queue = this.#queues.get(key);
    if (queue === undefined) {
      this.#queues.set(key, queue = { running: 0, waiting: [] });
    }
    if (queue.running < this.#atOnce) {
      queue.running++;
      return undefined;
    }
    const { waiting } = queue;
    return new Promise((resolve) => waiting.push(resolve));
  }

  give(key: string): void {
    const queue = this.#queues.get(key);
    if (queue === undefined) return;
    const next = queue.waiting.shift();
    if (next !== undefined) return next();
    queue.running--;
    if (queue.running === 0) this.#queues.delete(key);
  }

  /** Keys of which something runs. */
  get size(): number {
    return this.#queues.size;
  }
}
