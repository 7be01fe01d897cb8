interface Queue {
  running: number;
  readonly waiting: (() => void)[];
}

/** Runs so much work at once under one key; the rest waits, first come, first served. */
export class Turns {
  readonly #atOnce: number;
  readonly #queues = new Map<string, Queue>();

  constructor(atOnce: number) {
    this.#atOnce = atOnce;
  }

  /**
   * Runs the work when it is its turn: at once when fewer than `atOnce` run under the key.
   *
   * @returns what the work gives; rejects when it does, which ends its turn as well
   */
  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    let queue = this.#queues.get(key);
    if (queue === undefined) {
      this.#queues.set(key, queue = { running: 0, waiting: [] });
    }
    const { waiting } = queue;
    if (queue.running < this.#atOnce) queue.running++;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next !== undefined) next();
      else if (--queue.running === 0) this.#queues.delete(key);
    }
  }

  /** Keys under which something runs. */
  get size(): number {
    return this.#queues.size;
  }
}
