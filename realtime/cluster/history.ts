import { errorFields, type Log } from "../../log.ts";

export interface HistoryOptions {
  /** The epoch of the database as it was read at the start. */
  epoch: string;
  /** The epoch that the database has now. */
  readEpoch: () => Promise<string>;
  /** Begins another epoch, unless another process has. @returns the one that counts from now on */
  renewEpoch: (known: string) => Promise<string>;
  /** The newest `seq` of a room; 0 when it is gone. */
  newestOf: (roomId: string) => Promise<number>;
  /** Called when the history is another one: what clients and feeds hold may not be part of it. */
  onChanged: () => void;
  log: Log;
}

/**
 * Whether the database still has the history that this process and its clients know.
 *
 * After a failover to a standby that lagged, or a restore under running servers, it has not: messages that
 * were shown are gone, and their numbers are given to others. A client that came back only later, when
 * the numbers have passed its own, would never notice. So the history has a name, `epoch`, which whoever
 * finds out changes for all.
 */
export class History {
  readonly #options: HistoryOptions;
  #epoch: string;
  #isRenewing = false;

  constructor(options: HistoryOptions) {
    this.#options = options;
    this.#epoch = options.epoch;
  }

  /** Names the history that the database has. */
  get epoch(): string {
    return this.#epoch;
  }

  /** Finds out whether another process has noticed. */
  async check(): Promise<void> {
    this.#adopt(await this.#options.readEpoch());
  }

  /**
   * A number that was given twice, or one that is taken for new and known already.
   *
   * @param known the room's newest `seq` as this process has seen it in the database; left out: the same
   *   number was given to two messages
   */
  async doubt(roomId: string, known?: number): Promise<void> {
    if (this.#isRenewing) return;
    this.#isRenewing = true;
    const { newestOf, renewEpoch, log } = this.#options;
    try {
      if (known !== undefined && await newestOf(roomId) >= known) return;
      const epoch = await renewEpoch(this.#epoch);
      log.error(
        "the database has lost messages that were shown: clients load anew",
        {
          roomId,
        },
      );
      this.#adopt(epoch);
    } catch (error) {
      log.error("the history could not be checked", errorFields(error));
    } finally {
      this.#isRenewing = false;
    }
  }

  #adopt(epoch: string): void {
    if (epoch === this.#epoch) return;
    this.#epoch = epoch;
    this.#options.log.warn("the history is another one");
    this.#options.onChanged();
  }
}
