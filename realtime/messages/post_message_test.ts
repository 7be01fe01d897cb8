import assert from "node:assert/strict";
import type { NewMessage } from "../../db/messages.ts";
import { createFakeClock } from "../../tests/helpers/clock.ts";
import {
  connectionLost,
  createGate,
  createUser,
  numbers,
} from "../../tests/realtime/fakes.ts";
import {
  ALICE,
  brief,
  createPosts,
  ROOM,
} from "../../tests/realtime/post_message_fakes.ts";
import { PostMessage } from "./post_message.ts";
import type { Refused, Stored } from "./post_result.ts";
import { localRateLimit, MessageRateLimit, type Taken } from "./rate_limit.ts";

Deno.test("post() stores the trimmed text as its author, under an id of its own", async () => {
  const { clock, post, writes, store } = createPosts();
  const posted = post({ text: " \n hello\tthere \u00a0", clientMsgId: "c" });
  const [{ args: [message] }] = writes.calls as [typeof writes.calls[0]];
  assert.equal(message.text, "hello\tthere");
  assert.equal(message.userId, ALICE.id);
  assert.equal(message.clientMsgId, "c");
  await store();
  assert.deepEqual(await posted, {
    kind: "stored",
    messageId: message.id,
    seq: 1,
    createdAt: new Date(clock.now()).toISOString(),
    isDuplicate: false,
  });
});

Deno.test("post() refuses texts that are empty, too long, ill-formed or carry a NUL, and counts none", async () => {
  const { post, writes, postStored } = createPosts();
  const bad = [
    ...["", "   ", "\n\t\r", "\u200b\u200d", "\u3164", "\u2800", "\ufeff"],
    ...[
      "\u0007",
      "\u0085",
      "\u034f",
      "\u17b4",
      "\u180b",
      "\ufe0f",
      "\u{e0100}",
    ],
    ...["\u2800\ufe0f", "\u202e \u{e01ef}"],
    ...["x".repeat(501), "😀".repeat(501), " " + "é".repeat(501) + " "],
    ...["a\0b", "\0", "\ud800", "a\udc00b", "\ude00\ud83d"],
  ];
  for (const text of bad) {
    assert.equal(brief(await post({ text })), "bad_request", text);
  }
  assert.equal(writes.calls.length, 0);
  await postStored(5);
});

Deno.test("post() takes texts at the limit, counted in code points after trimming", () => {
  for (
    const text of [
      ...["x", "0", "x".repeat(500), "😀".repeat(500)],
      ...[" ".repeat(600) + "x".repeat(500) + " ", "👩‍👩‍👧‍👦".repeat(71)],
    ]
  ) {
    const { post, writes } = createPosts();
    post({ text });
    assert.equal(writes.calls[0]?.args[0].text, text.trim());
  }
});

Deno.test("the same client id at the same moment is one write: one is stored, the others are duplicates", async () => {
  const { post, writes, store } = createPosts();
  const posted = numbers(1, 100).map(() => post({ clientMsgId: "same" }));
  assert.equal(writes.calls.length, 1);
  await store();
  const results = await Promise.all(posted);
  assert.deepEqual(results.map(brief), [
    "stored 1",
    ...numbers(2, 100).map(() => "duplicate 1"),
  ]);
  const ids = new Set(
    results.map((result) => result.kind === "stored" && result.messageId),
  );
  assert.equal(ids.size, 1);
});

Deno.test("a duplicate of a recent message needs no database and counts nothing", async () => {
  const { post, writes, store, lookUps, postStored } = createPosts();
  const first = post({ clientMsgId: "same" });
  await store();
  for (const _ of numbers(1, 20)) {
    assert.equal(brief(await post({ clientMsgId: "same" })), "duplicate 1");
  }
  await first;
  assert.equal(writes.calls.length + lookUps.length, 0);
  await postStored(4);
  assert.equal(brief(await post({ clientMsgId: "same" })), "duplicate 1");
});

Deno.test("a duplicate of a message from before a restart counts nothing", async () => {
  const { post, store, postStored } = createPosts();
  for (const n of numbers(1, 20)) {
    const posted = post({ clientMsgId: `old ${n}` });
    await store(true);
    assert.equal(brief(await posted), `duplicate ${n}`);
  }
  await postStored(5);
});

Deno.test("a duplicate is answered also over the limit and when muted", async () => {
  const world = createPosts();
  const { post, postStored } = world;
  await postStored(5);
  const stored = {
    id: "old",
    seq: 77,
    created_at: new Date(world.clock.now()),
  };
  world.known = { ...world.known, stored };
  assert.equal(brief(await post()), "duplicate 77");
  world.known = { ...world.known, stored: undefined };
  assert.equal(brief(await post()), "muted anew");
  world.known = { ...world.known, stored, isMember: false };
  assert.equal(brief(await post()), "duplicate 77");
});

Deno.test("the same client id of another user or in another room is another message", async () => {
  const { post, writes } = createPosts();
  post({ clientMsgId: "same" });
  post({ clientMsgId: "same" }, createUser());
  post({ clientMsgId: "same", roomId: crypto.randomUUID() });
  await Promise.resolve();
  assert.equal(writes.calls.length, 3);
});

Deno.test("a stranger is told whether there is a room, also over the limit", async () => {
  const world = createPosts();
  const { post, refuse, postStored } = world;
  world.known = { ...world.known, isMember: false };
  let posted = post();
  await refuse("not_a_member");
  assert.equal(brief(await posted), "not_a_member");
  world.known = { ...world.known, roomExists: false };
  posted = post();
  await refuse("not_a_member");
  assert.equal(brief(await posted), "room_not_found");
  await postStored(5);
  assert.equal(brief(await post()), "room_not_found");
  world.known = { ...world.known, roomExists: true };
  assert.equal(brief(await post()), "not_a_member");
  world.known = { ...world.known, isMember: true };
  assert.equal(brief(await post()), "muted anew", "the refused did not mute");
});

Deno.test("post() rejects when the database cannot be asked, and a later one is not hurt", async () => {
  const clock = createFakeClock();
  let fails = true;
  const posts = new PostMessage({
    writer: {
      write: () => Promise.resolve({ kind: "refused", code: "not_a_member" }),
    },
    limit: localRateLimit(
      new MessageRateLimit({ messages: 5, windowMs: 1, muteMs: 1 }),
      { clock: clock.now, steadyClock: clock.now },
    ),
    lookUp: () =>
      fails ? Promise.reject(connectionLost()) : Promise.resolve({
        isMember: false,
        roomExists: true,
        stored: undefined,
      }),
    findQuote: () => Promise.resolve(undefined),
  });
  const post = { roomId: ROOM, text: "hello", clientMsgId: "same" };
  await assert.rejects(posts.post(ALICE, post), /terminated/);
  fails = false;
  assert.equal(brief(await posts.post(ALICE, post)), "not_a_member");
});

Deno.test("idle() resolves once all posts are answered, also those that still wait for the limit", async () => {
  const { promise: taken, resolve: take } = Promise.withResolvers<Taken>();
  const writes = createGate<[NewMessage], Stored | Refused>();
  const posts = new PostMessage({
    writer: { write: writes.call },
    limit: {
      take: () => taken,
      mute: () => Promise.reject(new Error("not muted")),
    },
    lookUp: () => Promise.reject(new Error("not asked")),
    findQuote: () => Promise.resolve(undefined),
  });
  let isIdle = false;
  const post = posts.post(ALICE, {
    roomId: ROOM,
    text: "hello",
    clientMsgId: crypto.randomUUID(),
  });
  const idle = posts.idle().then(() => isIdle = true);
  take({ kind: "free", takeBack() {} });
  await createFakeClock().advance(0);
  assert.equal(isIdle, false);
  const { args: [message], resolve } = writes.next();
  resolve({
    kind: "stored",
    messageId: message.id,
    seq: 1,
    createdAt: new Date(0).toISOString(),
    isDuplicate: false,
  });
  await idle;
  assert.equal((await post).kind, "stored");
});

Deno.test("a reply is stored with what it answers, and one that answers nothing is refused and not counted", async () => {
  const { clock, post, writes, store, quotes, postStored } = createPosts();
  const quote = { messageId: "known", seq: 3, sender: ALICE, text: "what?" };
  quotes.set("known", quote);
  const posted = post({ replyTo: "known" });
  await clock.advance(0);
  assert.deepEqual(writes.calls[0]?.args[0].replyTo, quote);
  await store();
  assert.equal(brief(await posted), "stored 1");
  assert.equal(brief(await post({ replyTo: "unknown" })), "bad_request");
  await postStored(4);
});

Deno.test("a reply that was stored before is a duplicate, also when what it answers is gone", async () => {
  const world = createPosts();
  world.known = {
    ...{ isMember: true, roomExists: true },
    stored: { id: "earlier", seq: 7, created_at: new Date(0) },
  };
  assert.equal(
    brief(await world.post({ replyTo: "unknown" })),
    "duplicate 7",
  );
  world.known = { isMember: false, roomExists: true, stored: undefined };
  assert.equal(
    brief(await world.post({ replyTo: "unknown" })),
    "not_a_member",
  );
});
