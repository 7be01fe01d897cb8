import type { NewMessage } from "../db/messages.ts";
import { codePointLength, MAX_TEXT_LENGTH, type UserRef } from "./protocol.ts";
import type { MessageRateLimit } from "./rate_limit.ts";
import { RecentMap } from "./recent_map.ts";
import type { Writer, WriteResult } from "./writer.ts";

/** Newest stored messages remembered by client id, so that a quick retry needs no database. */
const REMEMBERED_MESSAGES = 10_000;

/** How a post ended. Times are ISO 8601. */
export type PostResult =
  | {
    kind: "stored";
    messageId: string;
    seq: number;
    createdAt: string;
    isDuplicate: boolean;
  }
  | { kind: "muted"; mutedUntil: string; isNew: boolean }
  | { kind: "refused"; code: "bad_request"; error: string }
  | {
    kind: "refused";
    code: "not_a_member" | "room_not_found" | "unavailable" | "internal";
  };

export interface PostMessageOptions {
  writer: Pick<Writer, "write">;
  rateLimit: MessageRateLimit;
  /** What the database knows of a message and its author, asked for only where memory is not enough. */
  lookUp: (message: NewMessage) => Promise<{
    isMember: boolean;
    roomExists: boolean;
    stored: { id: string; seq: number; created_at: Date } | undefined;
  }>;
  clock: () => number;
}

/** Characters that leave nothing to see: a text of these alone is empty. */
const INVISIBLE = /^[\s\p{Cf}\u115F\u1160\u3164\uFFA0\u2800]*$/u;

/** The only way a message comes to be: known already? muted? over the limit? then the writer. */
export class PostMessage {
  readonly #options: PostMessageOptions;
  readonly #inFlight = new Map<string, Promise<WriteResult>>();
  /** Writes on their way, by user and room. */
  readonly #writes = new Map<string, Set<Promise<WriteResult>>>();
  readonly #recent = new RecentMap<string, WriteResult & { kind: "stored" }>(
    REMEMBERED_MESSAGES,
  );

  constructor(options: PostMessageOptions) {
    this.#options = options;
  }

  /**
   * Posts a text to a room as a user.
   *
   * The same (user, room, client id) again answers as the first time, is marked a duplicate, and
   * counts nothing, also at the same moment. A refused post does not count against the limit.
   *
   * @param post ids are UUIDs in lower case; the text comes as it was typed
   */
  async post(
    user: UserRef,
    post: { roomId: string; text: string; clientMsgId: string },
  ): Promise<PostResult> {
    const text = post.text.trim();
    const fault = faultOf(text);
    if (fault !== undefined) {
      return { kind: "refused", code: "bad_request", error: fault };
    }

    const message = { ...post, text, id: crypto.randomUUID(), userId: user.id };
    const key = `${user.id}:${post.roomId}:${post.clientMsgId}`;
    const known = this.#recent.get(key);
    if (known !== undefined) return answerOf({ ...known, isDuplicate: true });
    const first = this.#inFlight.get(key);
    if (first !== undefined) return this.#asDuplicate(await first, message);

    const { rateLimit, clock } = this.#options;
    const limitKey = `${user.id}:${post.roomId}`;
    if (rateLimit.state(limitKey, clock()).kind === "free") {
      return await this.#explain(
        await this.#write(key, limitKey, message, user),
        message,
      );
    }
    return await this.#postOverLimit(key, limitKey, message, user);
  }

  /** Over the limit or muted: only now is it worth asking the database whether this is a retry. */
  async #postOverLimit(
    key: string,
    limitKey: string,
    message: NewMessage,
    user: UserRef,
  ): Promise<PostResult> {
    const { rateLimit, lookUp, clock } = this.#options;
    // Writes on their way may turn out not to count.
    await Promise.all(this.#writes.get(limitKey) ?? []);
    const { isMember, roomExists, stored } = await lookUp(message);
    if (stored !== undefined) {
      return answerOf({
        kind: "stored",
        messageId: stored.id,
        seq: stored.seq,
        createdAt: stored.created_at,
        isDuplicate: true,
      });
    }
    if (!roomExists) return { kind: "refused", code: "room_not_found" };
    if (!isMember) return { kind: "refused", code: "not_a_member" };

    const first = this.#inFlight.get(key);
    if (first !== undefined) return this.#asDuplicate(await first, message);
    const now = clock();
    const state = rateLimit.state(limitKey, now);
    if (state.kind === "free") {
      return await this.#explain(
        await this.#write(key, limitKey, message, user),
        message,
      );
    }
    const isNew = state.kind === "full";
    const until = state.kind === "muted"
      ? state.until
      : rateLimit.mute(limitKey, now);
    return { kind: "muted", mutedUntil: new Date(until).toISOString(), isNew };
  }

  #write(
    key: string,
    limitKey: string,
    message: NewMessage,
    user: UserRef,
  ): Promise<WriteResult> {
    const takeBack = this.#options.rateLimit.count(
      limitKey,
      this.#options.clock(),
    );
    const write = this.#options.writer.write(message, user).then((result) => {
      this.#inFlight.delete(key);
      const writes = this.#writes.get(limitKey);
      writes?.delete(write);
      if (writes?.size === 0) this.#writes.delete(limitKey);
      if (result.kind === "stored") this.#recent.set(key, result);
      if (result.kind === "refused" || result.isDuplicate) takeBack();
      return result;
    });
    this.#inFlight.set(key, write);
    const writes = this.#writes.get(limitKey);
    if (writes === undefined) this.#writes.set(limitKey, new Set([write]));
    else writes.add(write);
    return write;
  }

  #asDuplicate(
    first: WriteResult,
    message: NewMessage,
  ): PostResult | Promise<PostResult> {
    return this.#explain(
      first.kind === "stored" ? { ...first, isDuplicate: true } : first,
      message,
    );
  }

  /** The writer only knows that the author is no member; the client is told whether there is a room. */
  async #explain(
    result: WriteResult,
    message: NewMessage,
  ): Promise<PostResult> {
    if (result.kind === "stored") return answerOf(result);
    if (result.code !== "not_a_member") {
      return { kind: "refused", code: result.code };
    }
    const { roomExists } = await this.#options.lookUp(message);
    return {
      kind: "refused",
      code: roomExists ? "not_a_member" : "room_not_found",
    };
  }
}

function answerOf(
  result: WriteResult & { kind: "stored" },
): PostResult & { kind: "stored" } {
  return { ...result, createdAt: result.createdAt.toISOString() };
}

/** What is wrong with a trimmed text, in a sentence; undefined when nothing is. */
function faultOf(text: string): string | undefined {
  if (INVISIBLE.test(text)) return "The message is empty.";
  if (
    text.length > MAX_TEXT_LENGTH && codePointLength(text) > MAX_TEXT_LENGTH
  ) {
    return `The message is longer than ${MAX_TEXT_LENGTH} characters.`;
  }
  if (text.includes("\0")) return "The message contains a NUL character.";
  if (!text.isWellFormed()) return "The message is not well-formed Unicode.";
  return undefined;
}
