import type { RoomSystemEvent } from "../cluster/broker.ts";
import type { Timers } from "../timers.ts";

/** Lines about one user in one room that are sent at once within a window. */
const LINES_PER_WINDOW = 4;

const WINDOW_MS = 60_000;

interface Window {
  lines: number;
  /** The last line sent to the room. */
  told: RoomSystemEvent["data"]["type"];
  /** What has become of it since, if that is something else. */
  waiting: RoomSystemEvent | undefined;
}

/**
 * Limits the lines about a user who joins a room and leaves. What is too much for a window is sent
 * when it ends: the last change alone, and nothing when the user is back where the room believes.
 */
export class AnnouncementLimit {
  readonly #announce: (event: RoomSystemEvent) => void;
  readonly #timers: Timers;
  /** By room and user; each is there until its timer runs. */
  readonly #windows = new Map<string, Window>();

  constructor(announce: (event: RoomSystemEvent) => void, timers: Timers) {
    this.#announce = announce;
    this.#timers = timers;
  }

  /** Announces a line now, or later, or never. */
  add(event: RoomSystemEvent): void {
    const { type } = event.data;
    const window = this.#windows.get(keyOf(event));
    if (window === undefined) return this.#open(event);
    if (window.lines >= LINES_PER_WINDOW) {
      window.waiting = type === window.told ? undefined : event;
      return;
    }
    window.lines++;
    window.told = type;
    this.#announce(event);
  }

  /** The room has been told a line, here or by another process. */
  told(event: RoomSystemEvent): void {
    const window = this.#windows.get(keyOf(event));
    if (window === undefined) return;
    window.told = event.data.type;
    window.waiting = undefined;
  }

  /** Windows that have not ended. */
  get size(): number {
    return this.#windows.size;
  }

  #open(event: RoomSystemEvent): void {
    const key = keyOf(event);
    const window: Window = {
      lines: 1,
      told: event.data.type,
      waiting: undefined,
    };
    this.#windows.set(key, window);
    this.#timers.after(WINDOW_MS, () => {
      this.#windows.delete(key);
      if (window.waiting !== undefined) this.#open(window.waiting);
    });
    this.#announce(event);
  }
}

function keyOf({ data: { roomId, user } }: RoomSystemEvent): string {
  return `${roomId} ${user.id}`;
}
