import assert from "node:assert/strict";
import { createApi, type Room } from "../api.ts";
import { FakeClock, message } from "../fakes.ts";
import { loadNewer, loadNewest, loadOlder } from "./history.ts";
import { JoinedRooms } from "../rooms/joined_rooms.ts";
import type { RoomState } from "../rooms/room_state.ts";
import { MemoryStorage } from "../storage/storage.ts";

const user = { id: "me", username: "me" };
const LAST = 1_000;

const room: Room = {
  id: "room",
  name: "Room",
  createdAt: "2026-01-01T00:00:00.000Z",
  createdBy: user,
  memberCount: 1,
  isMember: true,
  lastSeq: LAST,
  lastRev: 0,
  epoch: "",
};

/** Messages from `first` to `last`. */
function run(first: number, last: number) {
  return Array.from(
    { length: last - first + 1 },
    (_, index) => message(first + index),
  );
}

/** A room that is open far from its end, and a server that answers when it is told to. */
function setUp() {
  const waiting: (() => void)[] = [];
  const rooms = new JoinedRooms({
    user,
    storage: new MemoryStorage(),
    clock: new FakeClock(),
    sync: () => Promise.resolve({ success: true as const, results: [] }),
    api: createApi({
      base: "",
      fetch: (path) => {
        const [, side, id] =
          /(before|after)=message-(\d+)/.exec(String(path)) ?? [];
        const seq = Number(id);
        const messages = side === "before"
          ? run(seq - 50, seq - 1)
          : side === "after"
          ? run(seq + 1, seq + 50)
          : run(LAST - 49, LAST);
        const answer = Response.json({ messages, hasMore: side !== "after" });
        return new Promise((resolve) => waiting.push(() => resolve(answer)));
      },
    }),
  });
  const state = rooms.add(room);
  state.isOpen = state.isLoaded = true;
  state.store.show({ messages: run(301, 400), hasMore: true });
  /** Answers all that was asked until nothing more is asked. */
  const answer = async () => {
    while (waiting.length > 0) {
      waiting.shift()?.();
      await new Promise((resolve) => setTimeout(resolve));
    }
  };
  return { rooms, state, answer };
}

const seqs = (
  { store: { messages } }: RoomState,
) => [messages[0]?.seq, messages.at(-1)?.seq, messages.length];

Deno.test("pages of history go before and after what is held", async () => {
  const { rooms, state, answer } = setUp();
  const older = loadOlder(rooms, state);
  await answer();
  await older;
  assert.deepEqual(seqs(state), [251, 400, 150]);
  const newer = loadNewer(rooms, state);
  await answer();
  await newer;
  assert.deepEqual(seqs(state), [251, 450, 200]);
});

Deno.test("the newest page is followed by what came while it was on its way", async () => {
  const { rooms, state, answer } = setUp();
  const loading = loadNewest(rooms, state);
  rooms.receive(state, message(LAST + 1));
  await answer();
  await loading;
  assert.equal(state.store.hasNewer, false);
  assert.deepEqual(seqs(state), [LAST - 49, LAST + 1, 51]);
});

for (const [side, load] of Object.entries({ loadOlder, loadNewer })) {
  Deno.test(`a page of ${side}() that comes when the room was left and opened again is not put among the newest messages`, async () => {
    const { rooms, state, answer } = setUp();
    const loading = load(rooms, state);
    rooms.close(state);
    const opening = rooms.open(state);
    await answer();
    await Promise.all([loading, opening]);
    assert.deepEqual(seqs(state), [LAST - 49, LAST, 50]);
    assert.equal(state.isLoaded, true);
  });

  Deno.test(`a page of ${side}() that comes when the room was left is forgotten with the others`, async () => {
    const { rooms, state, answer } = setUp();
    const loading = load(rooms, state);
    rooms.close(state);
    await answer();
    await loading;
    const opening = rooms.open(state);
    await answer();
    await opening;
    assert.deepEqual(seqs(state), [LAST - 49, LAST, 50]);
  });
}
