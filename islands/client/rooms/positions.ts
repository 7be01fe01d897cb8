/**
 * How far this browser has seen each room; kept over reloads. The maps live in memory: what other tabs
 * write comes as storage events, and what changes here is written a little later.
 */

import type { Clock } from "../clock.ts";
import {
  type KeyValueStorage,
  readJson,
  writeJson,
} from "../storage/storage.ts";
import { WriteBehind } from "../storage/write_behind.ts";

/** `{ [roomId]: ISO time of the newest message seen }` */
export const LAST_SEEN_KEY = "beatair_last_seen";

/** `{ [roomId]: seq of the newest message seen }` */
export const POSITIONS_KEY = "chatket_positions";

export class Positions {
  readonly #storage: KeyValueStorage;
  /** Writes changes to the storage a little later. */
  readonly writing: WriteBehind;
  /** What is known of each room, by the key it is stored under. */
  readonly #maps = new Map<string, Record<string, unknown>>();
  /** Ids of rooms with a change that is not written yet. */
  readonly #unsaved = new Set<string>();

  constructor(storage: KeyValueStorage, clock: Clock) {
    this.#storage = storage;
    this.writing = new WriteBehind(clock, () => this.#write());
    for (const key of [POSITIONS_KEY, LAST_SEEN_KEY]) {
      this.#maps.set(key, readMap(storage, key));
    }
  }

  /** Moves a room's position forward, never back: another tab may be ahead. */
  advance(roomId: string, seq: number, createdAt: string): void {
    if (Number(this.#maps.get(POSITIONS_KEY)![roomId] ?? 0) >= seq) return;
    this.reset(roomId, seq, createdAt);
  }

  /** Sets a room's position also backwards: the server has forgotten what we had seen. */
  reset(roomId: string, seq: number, createdAt: string): void {
    this.#maps.get(POSITIONS_KEY)![roomId] = seq;
    this.#maps.get(LAST_SEEN_KEY)![roomId] = createdAt;
    this.#unsaved.add(roomId);
    this.writing.request();
  }

  /** Another tab has changed a key. */
  storageChanged(key: string): void {
    const mine = this.#maps.get(key);
    if (mine === undefined) return;
    const theirs = readMap(this.#storage, key);
    for (const roomId of this.#unsaved) theirs[roomId] = mine[roomId];
    this.#maps.set(key, theirs);
  }

  #write(): void {
    this.#unsaved.clear();
    for (const [key, map] of this.#maps) writeJson(this.#storage, key, map);
  }
}

function readMap(
  storage: KeyValueStorage,
  key: string,
): Record<string, unknown> {
  const value = readJson(storage, key);
  return typeof value === "object" && value !== null
    ? { ...value as Record<string, unknown> }
    : {};
}
