/**
 * Text typed but not sent, per user and room. Each tab has drafts of its own, kept over its reloads. The
 * one that was typed last in any tab is shared: a tab that opens the room later begins with it.
 */

import { isBlank } from "../../text/blank.ts";
import { DRAFT_PREFIX } from "./device.ts";
import { type KeyValueStorage, readJson, writeJson } from "./storage.ts";

export interface DraftsOptions {
  userId: string;
  /** All tabs share it. */
  storage: KeyValueStorage;
  /** This tab's own. */
  tabStorage: KeyValueStorage;
}

export class Drafts {
  readonly #storage: KeyValueStorage;
  readonly #tabStorage: KeyValueStorage;
  readonly #prefix: string;
  /** This tab's drafts by room, also where the browser stores nothing. */
  readonly #own = new Map<string, string>();

  constructor({ userId, storage, tabStorage }: DraftsOptions) {
    this.#storage = storage;
    this.#tabStorage = tabStorage;
    this.#prefix = `${DRAFT_PREFIX}${userId}:`;
  }

  /** This tab's draft of a room, else the one that was typed last in another; empty without any. */
  read(roomId: string): string {
    const key = this.#prefix + roomId;
    return this.#mine(roomId) ?? readText(this.#storage, key) ?? "";
  }

  /** Whether this tab has a draft of a room: text that was written here and neither cleared nor sent. */
  holds(roomId: string): boolean {
    return this.#mine(roomId) !== undefined;
  }

  /** Keeps this tab's draft; an empty one is forgotten, but not another tab's. */
  write(roomId: string, text: string): void {
    const key = this.#prefix + roomId;
    if (!isBlank(text)) {
      this.#own.set(roomId, text);
      writeJson(this.#tabStorage, key, text);
      writeJson(this.#storage, key, text);
      return;
    }
    const before = this.#mine(roomId);
    this.#own.delete(roomId);
    this.#tabStorage.removeItem(key);
    if (readText(this.#storage, key) === before) this.#storage.removeItem(key);
  }

  /** Another tab has sent a text: where it is this tab's draft too, it is done with. */
  sentElsewhere(roomId: string, text: string): void {
    if (this.#mine(roomId)?.trim() === text) this.write(roomId, "");
  }

  /** Another tab changed what is shared: a draft of this tab's takes the place of one that was removed. */
  storageChanged(key: string): void {
    if (!key.startsWith(this.#prefix)) return;
    const mine = this.#mine(key.slice(this.#prefix.length));
    if (mine !== undefined && readText(this.#storage, key) === undefined) {
      writeJson(this.#storage, key, mine);
    }
  }

  #mine(roomId: string): string | undefined {
    return this.#own.get(roomId) ??
      readText(this.#tabStorage, this.#prefix + roomId);
  }
}

function readText(storage: KeyValueStorage, key: string): string | undefined {
  const text = readJson(storage, key);
  return typeof text === "string" ? text : undefined;
}
