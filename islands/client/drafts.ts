/** Text typed but not sent, per user and room, kept over reloads. */

import { isBlank } from "../../text/blank.ts";
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

  /** Keeps a draft; a blank one is forgotten. */
  write(roomId: string, text: string): void {
    if (isBlank(text)) this.#storage.removeItem(this.#prefix + roomId);
    else writeJson(this.#storage, this.#prefix + roomId, text);
  }
}
