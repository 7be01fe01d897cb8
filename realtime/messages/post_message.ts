import { isUnavailable } from "../../db/engine/errors.ts";
import type { KnownPost, NewMessage } from "../../db/messages.ts";
import { denialOf, outsiderDenial } from "../policy.ts";
import type { Quote, UserRef } from "../protocol/protocol.ts";
import { RecentMap } from "../recent_map.ts";
import { faultOfText } from "./message_text.ts";
import type { MessageLimit, Mute, Taken } from "./rate_limit.ts";
import type { Muted, PostResult, Refused, Stored } from "./post_result.ts";
import type { Writer } from "./writer.ts";

/** Newest stored messages remembered by client id, so that a quick retry needs no database. */
const REMEMBERED_MESSAGES = 10_000;

export interface PostMessageOptions {
  writer: Pick<Writer, "write">;
  limit: MessageLimit;
  /**
   * What the database knows of a message and its author, asked for only where memory is not enough.
   * Undefined when it has too much of the author's to look up.
   */
  lookUp: (message: NewMessage) => Promise<KnownPost> | undefined;
  /** What a reply shows of a message of the room; undefined when there is no such message. */
  findQuote: (
    roomId: string,
    messageId: string,
  ) => Promise<Quote | undefined>;
}

/** A message that is not stored yet, with the id of the one it answers. */
interface Post extends Omit<NewMessage, "replyTo"> {
  replyToId: string | undefined;
}

/** The only way a message comes to be: known already? muted? over the limit? then the writer. */
export class PostMessage {
  readonly #options: PostMessageOptions;
  /** Posts on their way, by user, room and client id. */
  readonly #inFlight = new Map<string, Promise<PostResult>>();
  /** Writes on their way, by user and room. */
  readonly #writes = new Map<string, Set<Promise<Stored | Refused>>>();
  #recent = new RecentMap<string, Stored>(REMEMBERED_MESSAGES);

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
    post: {
      roomId: string;
      text: string;
      clientMsgId: string;
      replyTo?: string | undefined;
    },
  ): Promise<PostResult> {
    const text = post.text.trim();
    const fault = faultOfText(text);
    if (fault !== undefined) {
      return { kind: "refused", code: "bad_request", error: fault };
    }

    const key = `${user.id}:${post.roomId}:${post.clientMsgId}`;
    const known = this.#recent.get(key);
    if (known !== undefined) return { ...known, isDuplicate: true };
    const first = this.#inFlight.get(key);
    if (first !== undefined) return asRepeated(await first);

    const { roomId, clientMsgId, replyTo: replyToId } = post;
    const message = {
      ...{ id: crypto.randomUUID(), roomId, userId: user.id, clientMsgId },
      ...{ text, replyToId },
    };
    const attempt = this.#attempt(key, message, user);
    this.#inFlight.set(key, attempt);
    try {
      return await attempt;
    } finally {
      this.#inFlight.delete(key);
    }
  }

  /** The database has another history: what was stored may be gone. */
  forget(): void {
    this.#recent = new RecentMap(REMEMBERED_MESSAGES);
  }

  /** Resolves when no post is on its way, with all that it waits for: the limit, the writer. */
  async idle(): Promise<void> {
    while (this.#inFlight.size > 0) {
      await Promise.allSettled(this.#inFlight.values());
    }
  }

  async #attempt(
    key: string,
    message: Post,
    user: UserRef,
  ): Promise<PostResult> {
    const limitKey = `${message.userId}:${message.roomId}`;
    const taking = this.#take(limitKey);
    // Awaited only where it must be: the messages of one turn share a batch.
    const taken = taking instanceof Promise ? await taking : taking;
    if (taken.kind !== "free") {
      return await this.#postOverLimit(key, limitKey, taken, message, user);
    }
    const result = await this.#write(key, limitKey, taken, message, user);
    return await this.#explain(result, message);
  }

  /** Over the limit or muted: only now is it worth asking the database whether this is a retry. */
  async #postOverLimit(
    key: string,
    limitKey: string,
    refusal: Taken & { kind: "full" | "muted" },
    message: Post,
    user: UserRef,
  ): Promise<PostResult> {
    // Writes on their way may turn out not to count.
    await Promise.all(this.#writes.get(limitKey) ?? []);
    const known = this.#options.lookUp(message);
    if (known === undefined) return overwhelmed(refusal);
    const settled = settledBy(await known);
    if (settled !== undefined) return settled;

    const taken = await this.#take(limitKey);
    if (taken.kind === "free") {
      const result = await this.#write(key, limitKey, taken, message, user);
      return await this.#explain(result, message);
    }
    return mutedAnswer(
      taken.kind === "muted"
        ? { until: taken.until, isNew: false }
        : await this.#options.limit.mute(limitKey),
    );
  }

  #take(limitKey: string): Taken | Promise<Taken> {
    return this.#options.limit.take(limitKey);
  }

  #write(
    key: string,
    limitKey: string,
    taken: Taken & { kind: "free" },
    message: Post,
    user: UserRef,
  ): Promise<Stored | Refused> {
    const write = this.#store(message, user).then((result) => {
      const writes = this.#writes.get(limitKey);
      writes?.delete(write);
      if (writes?.size === 0) this.#writes.delete(limitKey);
      if (result.kind === "stored") this.#recent.set(key, result);
      if (result.kind === "refused" || result.isDuplicate) taken.takeBack();
      return result;
    });
    const writes = this.#writes.get(limitKey);
    if (writes === undefined) this.#writes.set(limitKey, new Set([write]));
    else writes.add(write);
    return write;
  }

  #store(message: Post, user: UserRef): Promise<Stored | Refused> {
    return message.replyToId === undefined
      ? this.#options.writer.write(message, user)
      : this.#storeReply(message, message.replyToId, user);
  }

  async #storeReply(
    message: Post,
    replyToId: string,
    user: UserRef,
  ): Promise<Stored | Refused> {
    const { findQuote, lookUp, writer } = this.#options;
    try {
      const replyTo = await findQuote(message.roomId, replyToId);
      if (replyTo !== undefined) {
        return await writer.write({ ...message, replyTo }, user);
      }
      const known = await lookUp(message);
      if (known === undefined) return { kind: "refused", code: "unavailable" };
      return settledBy(known) ?? {
        kind: "refused",
        code: "bad_request",
        error: "The room has no message that this one could answer.",
      };
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      return { kind: "refused", code: "unavailable" };
    }
  }

  /** Tells "no such room" from "not a member": the writer knows only that the author is no member. */
  async #explain(
    result: Stored | Refused,
    message: NewMessage,
  ): Promise<Stored | Refused> {
    if (result.kind === "stored" || result.code !== "not_a_member") {
      return result;
    }
    const known = await this.#options.lookUp(message);
    if (known === undefined) return { kind: "refused", code: "unavailable" };
    return { kind: "refused", code: outsiderDenial(known.roomExists) };
  }
}

/** How a post ends by what is known of it: it was stored before, or its author may not post. */
function settledBy(
  { stored, ...standing }: KnownPost,
): Stored | Refused | undefined {
  if (stored !== undefined) {
    return {
      kind: "stored",
      messageId: stored.id,
      seq: stored.seq,
      createdAt: stored.created_at.toISOString(),
      isDuplicate: true,
    };
  }
  const code = denialOf("post", standing);
  return code && { kind: "refused", code };
}

/**
 * The answer to who sends so much over the limit that it is not looked up any more. A repeat among it
 * gets its first answer when it is sent again, as after every temporary refusal.
 */
function overwhelmed(
  refusal: Taken & { kind: "full" | "muted" },
): Muted | Refused {
  return refusal.kind === "muted"
    ? mutedAnswer({ until: refusal.until, isNew: false })
    : { kind: "refused", code: "unavailable" };
}

function mutedAnswer({ until, isNew }: Mute): Muted {
  return { kind: "muted", mutedUntil: new Date(until).toISOString(), isNew };
}

/** The result of a post for the same post, sent again meanwhile. */
function asRepeated(result: PostResult): PostResult {
  if (result.kind === "stored") return { ...result, isDuplicate: true };
  return result.kind === "muted" ? { ...result, isNew: false } : result;
}
