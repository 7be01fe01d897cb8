/** Text typed but not sent, per user and room, kept over reloads. */

import { type KeyValueStorage, readJson, writeJson } from "./storage.ts";

export class Drafts {
  readonly #storage: KeyValueStorage;
  readonly #prefix: string;

  constructor(storage: KeyValueStorage, userId: string) {
    this.#storage = storage;
    this.#prefix = `chatket_draft:${userId}:`;
  }

  read(roomId: string): string {
    const text = readJson(this.#storage, this.#prefix + roomId);
    return typeof text === "string" ? text : "";
  }

  /** Keeps a draft; an empty one is forgotten. */
  write(roomId: string, text: string): void {
    if (text.trim() === "") this.#storage.removeItem(this.#prefix + roomId);
    else writeJson(this.#storage, this.#prefix + roomId, text);
  }
}
