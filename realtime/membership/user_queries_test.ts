import assert from "node:assert/strict";
import type { MemberRoom } from "../../db/memberships.ts";
import type { KnownPost, NewMessage } from "../../db/messages.ts";
import { createFakeClock } from "../../tests/helpers/clock.ts";
import { createGate, createUser, numbers } from "../../tests/realtime/fakes.ts";
import { PostMessage } from "../messages/post_message.ts";
import { localRateLimit, MessageRateLimit } from "../messages/rate_limit.ts";
import {
  createUserQueries,
  LOOK_UP_PAUSE_MS,
  MAX_WAITING_LOOK_UPS,
} from "./user_queries.ts";

const USER = createUser();
const ROOM = crypto.randomUUID();
const STORED = { id: "first", seq: 7, created_at: new Date(0) };

/** Queries that are answered when the test says so. */
function createQueries() {
  const clock = createFakeClock();
  const posts = createGate<[string, readonly NewMessage[]], KnownPost[]>();
  const rooms = createGate<[string, string[]], MemberRoom[]>();
  return {
    ...{ clock, posts, rooms },
    queries: createUserQueries({
      findPosts: posts.call,
      memberRooms: rooms.call,
      timers: clock,
    }),
    /** Answers the look-up that waits: what begins with "old" is stored. @returns how many it was about */
    async answerPosts() {
      const { args: [, messages], resolve } = posts.next();
      resolve(messages.map(({ clientMsgId }) => ({
        roomExists: true,
        isMember: true,
        stored: clientMsgId.startsWith("old") ? STORED : undefined,
      })));
      await clock.advance(0);
      return messages.length;
    },
  };
}

Deno.test("who is muted and goes on sending has one look-up on its way, few that wait, and repeats are still answered as such", async () => {
  const { clock, queries, posts, answerPosts } = createQueries();
  const limit = new MessageRateLimit({
    messages: 5,
    windowMs: 10_000,
    muteMs: 30_000,
  });
  limit.mute(`${USER.id}:${ROOM}`, clock.now());
  const sender = new PostMessage({
    writer: { write: () => Promise.reject(new Error("nothing is written")) },
    limit: localRateLimit(limit, { clock: clock.now, steadyClock: clock.now }),
    lookUp: queries.lookUp,
    findQuote: () => Promise.resolve(undefined),
  });
  const send = (clientMsgId: string) =>
    sender.post(USER, { roomId: ROOM, text: "hello", clientMsgId });
  const sent = ["first", "old", ...numbers(1, 4_500).map(String)].map(send);
  await clock.advance(0);
  assert.equal(posts.calls.length, 1);
  const over = await Promise.all(sent.slice(1 + MAX_WAITING_LOOK_UPS));
  assert.ok(over.every(({ kind }) => kind === "muted"), "from memory");
  assert.equal(await answerPosts(), 1);
  assert.equal(posts.calls.length, 0, "the next one waits");
  await clock.advance(LOOK_UP_PAUSE_MS);
  assert.equal(await answerPosts(), MAX_WAITING_LOOK_UPS);
  assert.equal(posts.calls.length, 0);
  const results = await Promise.all(sent);
  assert.equal(results.filter(({ kind }) => kind === "muted").length, 4_501);
  const repeated = results[1]!;
  assert.ok(repeated.kind === "stored" && repeated.isDuplicate);
  assert.equal(repeated.messageId, STORED.id);
});

Deno.test("one user's look-ups do not wait for another's", () => {
  const { queries, posts } = createQueries();
  for (const userId of ["one", "one", "two"]) {
    void queries.lookUp({ userId } as NewMessage);
  }
  assert.deepEqual(posts.calls.map(({ args: [userId] }) => userId), [
    "one",
    "two",
  ]);
});

Deno.test("memberships that a user's sockets ask for meanwhile are one query, and each gets its own", async () => {
  const { clock, queries, rooms } = createQueries();
  const answers = [["a"], ["a", "b"], ["c", "b"]].map((roomIds) =>
    queries.memberRooms(USER.id, roomIds)
  );
  const row = (room_id: string) => ({ room_id, last_seq: 1, last_rev: 0 });
  rooms.next().resolve([row("a")]);
  await clock.advance(0);
  const { args: [, asked], resolve } = rooms.next();
  assert.deepEqual(asked, ["a", "b", "c"]);
  resolve([row("b"), row("c")]);
  assert.deepEqual(
    (await Promise.all(answers)).map((list) =>
      list.map(({ room_id }) => room_id)
    ),
    [["a"], ["b"], ["c", "b"]],
  );
});
