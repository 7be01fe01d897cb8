import assert from "node:assert/strict";
import { message } from "./fakes.ts";
import { RoomStore } from "./room_store.ts";

const seqs = (messages: readonly { seq: number }[]) =>
  messages.map(({ seq }) => seq);

Deno.test("receive() appends the next number and moves the position onto it", () => {
  const store = new RoomStore(4);
  assert.deepEqual(seqs(store.receive(message(5))), [5]);
  assert.equal(store.position, 5);
});

Deno.test("receive() drops what is known, by number and by id", () => {
  const store = new RoomStore(0);
  store.receive(message(1));
  assert.deepEqual(store.receive(message(1)), []);
  assert.deepEqual(store.receive(message(2, { messageId: "message-1" })), []);
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
