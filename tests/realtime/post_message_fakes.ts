/** What the tests of post message share. */

import assert from "node:assert/strict";
import type { KnownPost, NewMessage } from "../../db/messages.ts";
import { PostMessage } from "../../realtime/messages/post_message.ts";
import type {
  PostResult,
  Refused,
  Stored,
} from "../../realtime/messages/post_result.ts";
import {
  localRateLimit,
  MessageRateLimit,
} from "../../realtime/messages/rate_limit.ts";
import type { Quote } from "../../realtime/protocol/protocol.ts";
import { createFakeClock } from "../helpers/clock.ts";
import { createGate, createUser, numbers } from "./fakes.ts";

export const ALICE = createUser("alice");
export const ROOM = crypto.randomUUID();

type Known = KnownPost;

export function createPosts() {
  const clock = createFakeClock();
  const rateLimit = new MessageRateLimit({
    messages: 5,
    windowMs: 10_000,
    muteMs: 30_000,
  });
  const writes = createGate<[NewMessage], Stored | Refused>();
  const lookUps: NewMessage[] = [];
  const quotes = new Map<string, Quote>();
  let seq = 0;
  const world = {
    clock,
    writes,
    lookUps,
    /** Messages that can be answered, by id. */
    quotes,
    /** What the database answers when it is asked. */
    known: { isMember: true, roomExists: true, stored: undefined } as Known,
    posts: new PostMessage({
      writer: { write: writes.call },
      limit: localRateLimit(rateLimit, {
        clock: clock.now,
        steadyClock: clock.now,
      }),
      lookUp: (message): Promise<Known> => {
        lookUps.push(message);
        return Promise.resolve(world.known);
      },
      findQuote: (_, messageId) => Promise.resolve(quotes.get(messageId)),
    }),
    post: (
      post: Partial<Parameters<PostMessage["post"]>[1]> = {},
      user = ALICE,
    ) =>
      world.posts.post(user, {
        roomId: ROOM,
        text: "hello",
        clientMsgId: crypto.randomUUID(),
        ...post,
      }),
    /** The oldest write that waits succeeds. */
    async store(isDuplicate = false) {
      const { args: [message], resolve } = writes.next();
      resolve({
        kind: "stored",
        messageId: isDuplicate ? "earlier" : message.id,
        seq: ++seq,
        createdAt: new Date(clock.now()).toISOString(),
        isDuplicate,
      });
      await clock.advance(0);
    },
    async refuse(code: "not_a_member" | "unavailable" | "internal") {
      writes.next().resolve({ kind: "refused", code });
      await clock.advance(0);
    },
    /** Posts and stores so many messages. */
    async postStored(count: number) {
      for (const _ of numbers(1, count)) {
        const posted = world.post();
        await world.store();
        assert.equal((await posted).kind, "stored");
      }
    },
  };
  return world;
}

/** Whether and where a post was stored, in short. */
export function brief(result: PostResult): string {
  if (result.kind === "stored") {
    return `${result.isDuplicate ? "duplicate" : "stored"} ${result.seq}`;
  }
  return result.kind === "muted"
    ? `muted${result.isNew ? " anew" : ""}`
    : result.code;
}
