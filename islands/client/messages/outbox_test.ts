import assert from "node:assert/strict";
import { FakeClock, settle } from "../fakes.ts";
import {
  type Locks,
  Outbox,
  type OutboxEntry,
  type SendResult,
} from "./outbox.ts";
import { MemoryStorage } from "../storage/storage.ts";

type Answer = (result: SendResult) => void;

interface Tab {
  outbox: Outbox;
  /** What was sent and waits for its answer. */
  calls: { entry: OutboxEntry; answer: Answer }[];
  sent: string[];
}

let ids = 0;
const accepted = {
  success: true,
  messageId: "m",
  seq: 1,
  createdAt: "",
} as const;
const refused = (code: string): SendResult =>
  ({ success: false, code, error: code }) as SendResult;

function openTab(storage: MemoryStorage, clock: FakeClock, locks?: Locks): Tab {
  const tab: Omit<Tab, "outbox"> = { calls: [], sent: [] };
  const outbox: Outbox = new Outbox({
    userId: "me",
    storage,
    locks,
    clock,
    newId: () => `id-${++ids}`,
    send: (entry) =>
      new Promise((resolve) => {
        tab.sent.push(entry.text);
        tab.calls.push({ entry, answer: resolve });
      }),
    onSent: ({ clientMsgId }) => outbox.remove(clientMsgId),
    muteDelay: () => 30_000,
  });
  return { outbox, ...tab };
}

async function answer(tab: Tab, result: SendResult): Promise<void> {
  const call = tab.calls.shift();
  assert.ok(call, "a message is on its way");
  call.answer(result);
  await settle();
}

/** As `navigator.locks`: one holder a name, the others wait in order. */
function fakeLocks(): Locks {
  const tails = new Map<string, Promise<void>>();
  return {
    request(name, run) {
      const done = (tails.get(name) ?? Promise.resolve()).then(run);
      tails.set(name, done);
      return done;
    },
  };
}

Deno.test("Outbox sends a room's messages one at a time, in order", async () => {
  const tab = openTab(new MemoryStorage(), new FakeClock());
  tab.outbox.resume();
  for (const text of ["a", "b", "c"]) tab.outbox.add("room", text);
  await settle();
  assert.deepEqual(tab.sent, ["a"]);
  await answer(tab, accepted);
  assert.deepEqual(tab.sent, ["a", "b"]);
  await answer(tab, accepted);
  await answer(tab, accepted);
  assert.deepEqual(tab.outbox.entries("room"), []);
});

Deno.test("Outbox sends rooms independently of each other", async () => {
  const tab = openTab(new MemoryStorage(), new FakeClock());
  tab.outbox.resume();
  tab.outbox.add("one", "a");
  tab.outbox.add("two", "b");
  await settle();
  assert.deepEqual(tab.sent, ["a", "b"]);
});

Deno.test("Outbox keeps messages written offline over a reload and sends each once, in order", async () => {
  const storage = new MemoryStorage();
  const clock = new FakeClock();
  const before = openTab(storage, clock);
  for (const text of ["a", "b", "c"]) before.outbox.add("room", text);
  const written = before.outbox.entries("room").map(({ clientMsgId }) =>
    clientMsgId
  );
  const after = openTab(storage, clock);
  after.outbox.resume();
  await settle();
  const sentIds = [];
  while (after.calls.length > 0) {
    sentIds.push(after.calls[0]?.entry.clientMsgId);
    await answer(after, accepted);
  }
  assert.deepEqual(before.sent, []);
  assert.deepEqual(sentIds, written);
  assert.equal(storage.length, 0);
});

Deno.test("Outbox sends again with the same id after a lost connection", async () => {
  const tab = openTab(new MemoryStorage(), new FakeClock());
  tab.outbox.resume();
  const id = tab.outbox.add("room", "a");
  await settle();
  await answer(tab, refused("connection_closed"));
  assert.equal(tab.calls.length, 0, "nothing is sent while the line is down");
  tab.outbox.resume();
  await settle();
  assert.equal(tab.calls[0]?.entry.clientMsgId, id);
});

Deno.test("Outbox retries after a temporary refusal, later each time, and keeps the order", async () => {
  const clock = new FakeClock();
  const tab = openTab(new MemoryStorage(), clock);
  tab.outbox.resume();
  tab.outbox.add("room", "a");
  tab.outbox.add("room", "b");
  await settle();
  await answer(tab, refused("unavailable"));
  await clock.advance(999);
  assert.equal(tab.calls.length, 0);
  await clock.advance(1);
  await answer(tab, refused("internal"));
  await clock.advance(1999);
  assert.equal(tab.calls.length, 0);
  await clock.advance(1);
  assert.deepEqual(tab.sent, ["a", "a", "a"]);
});

Deno.test("Outbox waits out a mute", async () => {
  const clock = new FakeClock();
  const tab = openTab(new MemoryStorage(), clock);
  tab.outbox.resume();
  tab.outbox.add("room", "a");
  await settle();
  await answer(tab, refused("muted"));
  await clock.advance(29_999);
  assert.equal(tab.calls.length, 0);
  await clock.advance(1);
  assert.equal(tab.calls.length, 1);
});

Deno.test("Outbox marks a message failed after a permanent refusal and goes on with the next", async () => {
  const tab = openTab(new MemoryStorage(), new FakeClock());
  tab.outbox.resume();
  const id = tab.outbox.add("room", "a");
  tab.outbox.add("room", "b");
  await settle();
  await answer(tab, refused("not_a_member"));
  assert.deepEqual(tab.sent, ["a", "b"]);
  assert.equal(tab.outbox.entries("room")[0]?.failed, "not_a_member");
  await answer(tab, accepted);
  tab.outbox.retry(id);
  await settle();
  assert.equal(tab.calls[0]?.entry.clientMsgId, id);
  await answer(tab, accepted);
  assert.deepEqual(tab.outbox.entries("room"), []);
});

Deno.test("two tabs send every message once", async () => {
  const storage = new MemoryStorage();
  const clock = new FakeClock();
  const locks = fakeLocks();
  const one = openTab(storage, clock, locks);
  const two = openTab(storage, clock, locks);
  one.outbox.resume();
  two.outbox.resume();
  for (const text of ["a", "b"]) one.outbox.add("room", text);
  two.outbox.storageChanged(null);
  assert.equal(
    two.outbox.entries("room").length,
    2,
    "the other tab shows them too",
  );
  await settle();
  for (let answers = 0; answers < 2; answers++) {
    await answer(one.calls.length > 0 ? one : two, accepted);
    await settle();
  }
  assert.deepEqual([...one.sent, ...two.sent].sort(), ["a", "b"]);
  two.outbox.storageChanged(null);
  assert.deepEqual(two.outbox.entries("room"), []);
});

Deno.test("what another tab has sent stays among the entries, as sent, until the line is back", async () => {
  const storage = new MemoryStorage();
  const clock = new FakeClock();
  const live = openTab(storage, clock);
  const cut = openTab(storage, clock);
  live.outbox.resume();
  const id = live.outbox.add("room", "a");
  cut.outbox.storageChanged(`chatket_outbox:me:${id}`);
  assert.equal(cut.outbox.get(id)?.isSent, undefined);
  await answer(live, accepted);
  cut.outbox.storageChanged(`chatket_outbox:me:${id}`);
  assert.equal(cut.outbox.get(id)?.isSent, true);
  cut.outbox.resume();
  await settle();
  assert.deepEqual(cut.sent, []);
  assert.deepEqual(cut.outbox.entries("room"), []);
});

Deno.test("a failed message that another tab has deleted is gone, and so is all when the storage was cleared", async () => {
  const storage = new MemoryStorage();
  const clock = new FakeClock();
  const one = openTab(storage, clock);
  one.outbox.resume();
  const failed = one.outbox.add("room", "a");
  await settle();
  await answer(one, refused("bad_request"));
  const other = openTab(storage, clock);
  assert.equal(other.outbox.entries("room").length, 1);
  one.outbox.remove(failed);
  other.outbox.storageChanged(`chatket_outbox:me:${failed}`);
  assert.deepEqual(other.outbox.entries("room"), []);
  const waiting = other.outbox.add("room", "b");
  storage.removeItem(`chatket_outbox:me:${waiting}`);
  other.outbox.storageChanged(null);
  assert.deepEqual(other.outbox.entries("room"), []);
});

Deno.test("a tab sends what another tab left behind", async () => {
  const storage = new MemoryStorage();
  const clock = new FakeClock();
  const closed = openTab(storage, clock);
  closed.outbox.add("room", "a");
  const open = openTab(storage, clock);
  open.outbox.resume();
  await settle();
  assert.deepEqual(open.sent, ["a"]);
});

Deno.test("remove() forgets a message that is on its way; its late refusal does not bring it back", async () => {
  const tab = openTab(new MemoryStorage(), new FakeClock());
  tab.outbox.resume();
  const id = tab.outbox.add("room", "a");
  await settle();
  tab.outbox.remove(id);
  await answer(tab, refused("bad_request"));
  assert.deepEqual(tab.outbox.entries("room"), []);
});

Deno.test("Outbox sends also when the browser refuses to store", async () => {
  const storage = new MemoryStorage();
  storage.setItem = () => {
    throw new DOMException("full", "QuotaExceededError");
  };
  const tab = openTab(storage, new FakeClock());
  tab.outbox.resume();
  tab.outbox.add("room", "a");
  await settle();
  assert.deepEqual(tab.sent, ["a"]);
  await answer(tab, accepted);
  assert.deepEqual(tab.outbox.entries("room"), []);
});
