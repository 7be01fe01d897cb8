/** Counts sockets by user and by address, from before the upgrade until the connection has ended. */

export interface AdmissionLimits {
  readonly maxSocketsPerUser: number;
  readonly maxSocketsPerAddress: number;
}

/** A place for one socket. */
export interface Admission {
  /** Gives the place back. Again has no effect. */
  release(): void;
}

export class Admissions {
  readonly #limits: AdmissionLimits;
  readonly #onReleased: (userId: string) => void;
  readonly #counts = new Map<string, number>();

  /** @param onReleased called when a place of a user was given back */
  constructor(
    limits: AdmissionLimits,
    onReleased: (userId: string) => void = () => {},
  ) {
    this.#limits = limits;
    this.#onReleased = onReleased;
  }

  /** Places taken by a user. */
  countOf(userId: string): number {
    return this.#count(`user ${userId}`);
  }

  /** Takes a place; undefined when the user or the address has none left. */
  admit(userId: string, address: string): Admission | undefined {
    const user = `user ${userId}`;
    const peer = `address ${address}`;
    const full = this.#count(user) >= this.#limits.maxSocketsPerUser ||
      this.#count(peer) >= this.#limits.maxSocketsPerAddress;
    if (full) return undefined;
    this.#add(user, 1);
    this.#add(peer, 1);
    let held = true;
    return {
      release: () => {
        if (!held) return;
        held = false;
        this.#add(user, -1);
        this.#add(peer, -1);
        this.#onReleased(userId);
      },
    };
  }

  #count(key: string): number {
    return this.#counts.get(key) ?? 0;
  }

  #add(key: string, change: number): void {
    const count = this.#count(key) + change;
    if (count > 0) this.#counts.set(key, count);
    else this.#counts.delete(key);
  }
}
