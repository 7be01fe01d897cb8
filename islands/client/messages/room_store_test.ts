import assert from "node:assert/strict";
import { message } from "../fakes.ts";
import { RoomStore } from "./room_store.ts";

const seqs = (messages: readonly { seq: number }[]) =>
  messages.map(({ seq }) => seq);

Deno.test("receive() appends the next number and moves the position onto it", () => {
  const store = new RoomStore(4);
  assert.deepEqual(seqs(store.receive(message(5))), [5]);
  assert.equal(store.position, 5);
});

Deno.test("receive() drops what is known", () => {
  const store = new RoomStore(0);
  store.receive(message(1));
  assert.deepEqual(store.receive(message(1)), []);
  assert.deepEqual(seqs(store.messages), [1]);
});

Deno.test("receive() holds what jumps ahead until the gap is filled", () => {
  const store = new RoomStore(0);
  assert.deepEqual(store.receive(message(3)), []);
  assert.deepEqual(store.receive(message(2)), []);
  assert.deepEqual([store.position, store.hasGap], [0, true]);
  assert.deepEqual(seqs(store.receive(message(1))), [1, 2, 3]);
  assert.deepEqual([store.position, store.hasGap], [3, false]);
});

Deno.test("any order of delivery, with repeats, gives the same run", () => {
  const order = [7, 2, 2, 9, 1, 4, 3, 8, 5, 7, 6, 10, 1];
  const store = new RoomStore(0);
  const appended = order.flatMap((seq) => store.receive(message(seq)));
  assert.deepEqual(seqs(appended), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  assert.deepEqual(seqs(store.messages), seqs(appended));
});

Deno.test("load() puts the newest page before what the live feed brought", () => {
  const store = new RoomStore(10);
  store.receive(message(11));
  store.load({
    messages: [message(9), message(10), message(11)],
    hasMore: true,
  });
  assert.deepEqual(seqs(store.messages), [9, 10, 11]);
  assert.equal(store.hasOlder, true);
});

Deno.test("load() takes messages that are newer than the position", () => {
  const store = new RoomStore(2);
  store.load({
    messages: [message(1), message(2), message(3)],
    hasMore: false,
  });
  assert.deepEqual(seqs(store.messages), [1, 2, 3]);
  assert.equal(store.position, 3);
});

Deno.test("prepend() adds an older page once, also when it overlaps", () => {
  const store = new RoomStore(4);
  store.load({ messages: [message(3), message(4)], hasMore: true });
  store.prepend({
    messages: [message(1), message(2), message(3)],
    hasMore: false,
  });
  assert.deepEqual(seqs(store.messages), [1, 2, 3, 4]);
  assert.equal(store.hasOlder, false);
});

Deno.test("reset() forgets everything and follows the new history", () => {
  const store = new RoomStore(0);
  for (const seq of [1, 2, 3, 5]) store.receive(message(seq));
  const renewed = message(1, { messageId: "another" });
  store.reset({ messages: [renewed], hasMore: false });
  assert.deepEqual([store.position, store.hasGap], [1, false]);
  assert.deepEqual(store.messages, [renewed]);
  assert.deepEqual(seqs(store.receive(message(2, { messageId: "next" }))), [2]);
});

/** A store that has the messages up to `last`, and a page of them. */
function filled(last: number): RoomStore {
  const store = new RoomStore(0);
  for (let seq = 1; seq <= last; seq++) store.receive(message(seq));
  return store;
}

const page = (from: number, to: number) => ({
  messages: Array.from({ length: to - from + 1 }, (_, n) => message(from + n)),
  hasMore: from > 1,
});

const ends = ({ messages }: RoomStore) => [
  messages[0]?.seq,
  messages.at(-1)?.seq,
];

Deno.test("trim() keeps the newest, or what is around the message that is read", () => {
  const atEnd = filled(501);
  atEnd.trim(500, undefined);
  assert.deepEqual(ends(atEnd), [102, 501]);
  assert.deepEqual([atEnd.hasOlder, atEnd.hasNewer], [true, false]);

  const amid = filled(1000);
  amid.trim(500, 300);
  assert.deepEqual(ends(amid), [200, 599]);
  assert.deepEqual([amid.hasOlder, amid.hasNewer], [true, true]);

  const atStart = filled(501);
  atStart.trim(500, 1);
  assert.deepEqual(ends(atStart), [1, 400]);
  assert.equal(atStart.hasOlder, false);
});

Deno.test("a run that ends early delivers what is new without a gap in itself, and is read on to the end", () => {
  const store = filled(501);
  store.trim(500, 1);
  assert.deepEqual(seqs(store.receive(message(502))), [502]);
  assert.deepEqual(ends(store), [1, 400]);
  assert.equal(store.position, 502);
  // The page may know more than was delivered: that comes by itself.
  store.append(page(401, 503));
  assert.deepEqual([...ends(store), store.hasNewer], [1, 502, false]);
  store.receive(message(503));
  assert.deepEqual(ends(store), [1, 503]);
});

Deno.test("skipTo() goes on from the newest page and with what waited", () => {
  for (const keepsRun of [false, true]) {
    const store = filled(10);
    for (const seq of [480, 500, 501, 502]) store.receive(message(seq));
    assert.deepEqual(seqs(store.skipTo(page(451, 500), keepsRun)), [501, 502]);
    assert.deepEqual([store.position, store.hasGap], [502, false]);
    assert.deepEqual(ends(store), keepsRun ? [1, 10] : [451, 502]);
  }
});

Deno.test("what waits for its predecessors is bounded, and nothing is lost by it", () => {
  const store = new RoomStore(0);
  for (let seq = 2; seq <= 2000; seq++) store.receive(message(seq));
  assert.equal(store.receive(message(1)).length, 501);
  assert.equal(store.position, 501);
});

const edited = (seq: number, rev: number) => ({
  ...message(seq),
  ...{ text: `edited by ${rev}`, rev },
});

Deno.test("RoomStore takes a change by its rev, whatever the order and however often it comes", () => {
  const frames = [
    { prevRev: 0, rev: 2, messages: [edited(1, 1), edited(2, 2)] },
    { prevRev: 2, rev: 3, messages: [edited(1, 3)] },
    { prevRev: 3, rev: 5, messages: [edited(3, 4), edited(2, 5)] },
  ];
  const texts = ["edited by 3", "edited by 5", "edited by 4"];
  for (const order of [[0, 1, 2], [2, 1, 0, 1], [1, 2, 0, 0, 2]]) {
    const store = new RoomStore(0);
    for (const seq of [1, 2, 3]) store.receive(message(seq));
    for (const at of order) store.change(frames[at]!);
    assert.deepEqual(store.messages.map(({ text }) => text), texts);
    // A frame that came too early is not counted: the server sends what lies before it.
    store.caughtUp(5, store.rev, "");
    assert.deepEqual([store.rev, store.isStale], [5, false]);
  }
});

Deno.test("RoomStore shows a quoted message in every quote as it is now", () => {
  const store = new RoomStore(0);
  const { messageId, seq, sender, text } = message(1);
  const replyTo = { messageId, seq, sender, text };
  store.receive(message(1));
  store.receive({ ...message(2), replyTo });
  store.receive({ ...message(4), replyTo });
  store.change({ prevRev: 0, rev: 1, messages: [edited(1, 1)] });
  store.receive(message(3));
  const quotes = () => store.messages.flatMap(({ replyTo }) => replyTo ?? []);
  assert.deepEqual(quotes().map(({ text }) => text), [
    "edited by 1",
    "edited by 1",
  ]);
  const deletedAt = "2026-03-01T12:00:00.000Z";
  store.change({
    ...{ prevRev: 1, rev: 2 },
    messages: [{ ...edited(1, 2), text: "", deletedAt }],
  });
  assert.deepEqual(
    quotes().map(({ text, deleted }) => [text, deleted]),
    [["", true], ["", true]],
  );
});

Deno.test("RoomStore asks again for what a page of history may lack", () => {
  const store = new RoomStore(4, 7);
  store.load({
    ...{ messages: [message(3), message(4)], hasMore: true, lastRev: 7 },
  });
  assert.equal(store.isStale, false);
  store.change({ prevRev: 7, rev: 9, messages: [edited(1, 9)] });
  store.prepend({
    ...{ messages: [message(1), message(2)], hasMore: false, lastRev: 8 },
  });
  assert.deepEqual([store.isStale, store.rev], [true, 8]);
  // An answer to a question of before that page says nothing about it.
  store.caughtUp(9, 9, "");
  assert.equal(store.isStale, true);
  store.change({ prevRev: 8, rev: 9, messages: [edited(1, 9)] });
  store.caughtUp(9, 8, "");
  assert.equal(store.isStale, false);
  assert.equal(store.messages[0]?.text, "edited by 9");
});

Deno.test("RoomStore asks again when a page came while a sync that wanted no changes was on its way", () => {
  const store = new RoomStore(1, 5);
  store.load({ messages: [message(1)], hasMore: false, lastRev: 5 });
  store.caughtUp(7, undefined, "");
  assert.deepEqual([store.rev, store.isStale], [5, true]);
  const empty = new RoomStore(1, 5);
  empty.caughtUp(7, undefined, "");
  assert.deepEqual([empty.rev, empty.isStale], [7, false]);
});

Deno.test("RoomStore asks again while changes that came too early lie ahead of an answer", () => {
  const store = new RoomStore(0);
  store.receive(message(1));
  store.change({ prevRev: 2, rev: 3, messages: [edited(1, 3)] });
  store.caughtUp(1, 0, "");
  assert.deepEqual([store.rev, store.isStale], [1, true]);
  store.caughtUp(3, 1, "");
  assert.deepEqual([store.rev, store.isStale], [3, false]);
});

Deno.test("RoomStore keeps the arrays it has when a change is about nothing it holds", () => {
  const store = new RoomStore(0);
  store.receive(message(1));
  const { messages } = store;
  store.change({ prevRev: 0, rev: 1, messages: [edited(9, 1)] });
  assert.equal(store.messages, messages);
  assert.equal(store.rev, 1);
});
