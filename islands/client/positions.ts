/** How far this browser has seen each room; kept over reloads. */

import { type KeyValueStorage, readJson, writeJson } from "./storage.ts";

/** `{ [roomId]: ISO time of the newest message seen }` */
export const LAST_SEEN_KEY = "beatair_last_seen";

/** `{ [roomId]: seq of the newest message seen }` */
export const POSITIONS_KEY = "chatket_positions";

export class Positions {
  readonly #storage: KeyValueStorage;

  constructor(storage: KeyValueStorage) {
    this.#storage = storage;
  }

  /**
   * Moves a room's position forward, never back: another tab may be ahead, and the maps are read
   * again for the same reason.
   */
  advance(roomId: string, seq: number, createdAt: string): void {
    const positions = readMap(this.#storage, POSITIONS_KEY);
    if (Number(positions[roomId] ?? 0) >= seq) return;
    this.#store(roomId, seq, createdAt, positions);
  }

  /** Sets a room's position also backwards: the server has forgotten what we had seen. */
  reset(roomId: string, seq: number, createdAt: string): void {
    this.#store(roomId, seq, createdAt, readMap(this.#storage, POSITIONS_KEY));
  }

  #store(
    roomId: string,
    seq: number,
    createdAt: string,
    positions: Record<string, unknown>,
  ): void {
    writeJson(this.#storage, POSITIONS_KEY, { ...positions, [roomId]: seq });
    const lastSeen = readMap(this.#storage, LAST_SEEN_KEY);
    writeJson(this.#storage, LAST_SEEN_KEY, {
      ...lastSeen,
      [roomId]: createdAt,
    });
  }
}

function readMap(
  storage: KeyValueStorage,
  key: string,
): Record<string, unknown> {
  const value = readJson(storage, key);
  return typeof value === "object" && value !== null
    ? value as Record<string, unknown>
    : {};
}
