/**
 * Text typed but not sent, per user and room. Each tab has drafts of its own, kept over its reloads. The
 * one that was typed last in any tab is shared: a tab that opens the room later begins with it. Drafts
 * live in memory: other tabs' come as storage events, and this tab's are written a little later.
 */

import { signal } from "@preact/signals";
import { isBlank } from "../../../text/blank.ts";
import type { Clock } from "../clock.ts";
import { DRAFT_PREFIX } from "../storage/device.ts";
import {
  keysWithPrefix,
  type KeyValueStorage,
  readJson,
  writeJson,
} from "../storage/storage.ts";
import { withEntry } from "../with_entry.ts";
import { WriteBehind } from "../storage/write_behind.ts";

export interface DraftsOptions {
  userId: string;
  /** All tabs share it. */
  storage: KeyValueStorage;
  /** This tab's own. */
  tabStorage: KeyValueStorage;
  clock: Clock;
}

/** Drafts by room. */
type Texts = ReadonlyMap<string, string>;

export class Drafts {
  readonly #storage: KeyValueStorage;
  readonly #tabStorage: KeyValueStorage;
  readonly #prefix: string;
  /** Writes changes to the storage a little later. */
  readonly writing: WriteBehind;
  /** This tab's drafts, also where the browser stores nothing. */
  readonly #own = signal<Texts>(new Map());
  /** The drafts that were typed last in any tab. */
  readonly #shared = signal<Texts>(new Map());
  readonly #unsaved = new Set<string>();

  constructor({ userId, storage, tabStorage, clock }: DraftsOptions) {
    this.#storage = storage;
    this.#tabStorage = tabStorage;
    this.#prefix = `${DRAFT_PREFIX}${userId}:`;
    this.writing = new WriteBehind(clock, () => this.#write());
    this.#own.value = this.#readAll(tabStorage);
    this.#shared.value = this.#readAll(storage);
  }

  /** This tab's draft of a room, else the one that was typed last in another; empty without any. */
  read(roomId: string): string {
    return this.#own.value.get(roomId) ?? this.#shared.value.get(roomId) ?? "";
  }

  /** Whether this tab has a draft of a room: text that was written here and neither cleared nor sent. */
  holds(roomId: string): boolean {
    return this.#own.value.has(roomId);
  }

  /** Keeps this tab's draft; an empty one is forgotten, but not another tab's. */
  write(roomId: string, text: string): void {
    const before = this.#own.value.get(roomId);
    const after = isBlank(text) ? undefined : text;
    if (before === after) return;
    this.#own.value = withEntry(this.#own.value, roomId, after);
    if (after !== undefined || this.#shared.value.get(roomId) === before) {
      this.#shared.value = withEntry(this.#shared.value, roomId, after);
    }
    this.#unsaved.add(roomId);
    this.writing.request();
  }

  /** Another tab has sent a text: where it is this tab's draft too, it is done with. */
  sentElsewhere(roomId: string, text: string): void {
    if (this.#own.value.get(roomId)?.trim() === text) this.write(roomId, "");
  }

  /** Another tab changed what is shared: a draft of this tab's takes the place of one that was removed. */
  storageChanged(key: string): void {
    if (!key.startsWith(this.#prefix)) return;
    const roomId = key.slice(this.#prefix.length);
    const text = readText(this.#storage, key);
    const mine = this.#own.value.get(roomId);
    if (text === undefined && mine !== undefined) {
      writeJson(this.#storage, key, mine);
    }
    this.#shared.value = withEntry(this.#shared.value, roomId, text ?? mine);
  }

  #write(): void {
    for (const roomId of this.#unsaved) {
      const key = this.#prefix + roomId;
      writeText(this.#tabStorage, key, this.#own.value.get(roomId));
      writeText(this.#storage, key, this.#shared.value.get(roomId));
    }
    this.#unsaved.clear();
  }

  #readAll(storage: KeyValueStorage): Texts {
    return new Map(
      keysWithPrefix(storage, this.#prefix).flatMap((key) => {
        const text = readText(storage, key);
        return text === undefined
          ? []
          : [[key.slice(this.#prefix.length), text]];
      }),
    );
  }
}

function readText(storage: KeyValueStorage, key: string): string | undefined {
  const text = readJson(storage, key);
  return typeof text === "string" ? text : undefined;
}

function writeText(
  storage: KeyValueStorage,
  key: string,
  text: string | undefined,
): void {
  if (text === undefined) storage.removeItem(key);
  else writeJson(storage, key, text);
}
