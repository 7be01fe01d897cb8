/** Most items in one call. */
const MAX_ITEMS = 200;

interface Waiting<Item, Result> {
  item: Item;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
}

/**
 * Calls with many items in place of many calls. An item alone goes at once; what comes while the call
 * of its group is on its way goes together with the next. Results keep the order of the items.
 */
export class GroupedCalls<Item, Result> {
  readonly #run: (group: string, items: readonly Item[]) => Promise<Result[]>;
  /** Groups with a call on its way, and what waits behind it. */
  readonly #groups = new Map<string, Waiting<Item, Result>[]>();

  readonly #pause: () => Promise<void>;

  /**
   * @param run calls with the items of a group and gives a result for each
   * @param pause waited for after each call of a group before its next one
   */
  constructor(
    run: (group: string, items: readonly Item[]) => Promise<Result[]>,
    pause: () => Promise<void> = () => Promise.resolve(),
  ) {
    this.#run = run;
    this.#pause = pause;
  }

  /** How many items of a group wait behind the call that is on its way. */
  waiting(group: string): number {
    return this.#groups.get(group)?.length ?? 0;
  }

  /** The result for one item. Rejects when its call does. */
  call(group: string, item: Item): Promise<Result> {
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    const waiting = { item, resolve, reject };
    const queue = this.#groups.get(group);
    if (queue !== undefined) queue.push(waiting);
    else {
      this.#groups.set(group, []);
      void this.#work(group, [waiting]);
    }
    return promise;
  }

  async #work(group: string, first: Waiting<Item, Result>[]): Promise<void> {
    const queue = this.#groups.get(group)!;
    for (let batch = first; batch.length > 0;) {
      try {
        const items = batch.map(({ item }) => item);
        const results = await this.#run(group, items);
        batch.forEach(({ resolve }, index) => resolve(results[index]!));
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
      await this.#pause();
      batch = queue.splice(0, MAX_ITEMS);
    }
    this.#groups.delete(group);
  }
}
