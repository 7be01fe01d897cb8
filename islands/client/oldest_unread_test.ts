import assert from "node:assert/strict";
import { FakeClock, message } from "./fakes.ts";
import { oldestUnread } from "./oldest_unread.ts";
import { RoomState } from "./room_state.ts";

const me = { id: "me", username: "me" };

/** A room of `lastSeq` messages of which the newest ten are held; every tenth is my own. */
function setUp(lastSeq: number) {
  const room = new RoomState(
    {
      id: "room",
      name: "Room",
      createdAt: "2026-01-01T00:00:00.000Z",
      createdBy: me,
      memberCount: 2,
      isMember: true,
      lastSeq,
    },
    new FakeClock(),
    () => {},
  );
  const page = (end: number) => ({
    messages: Array.from({ length: 10 }, (_, index) => end - 9 + index)
      .filter((seq) => seq > 0)
      .map((seq) => message(seq, seq % 10 === 0 ? { sender: me } : {})),
    hasMore: end > 10,
  });
  room.load(page(lastSeq));
  let calls = 0;
  const loadOlder = (state: RoomState): Promise<void> => {
    calls++;
    const first = state.store.messages[0]?.seq ?? 0;
    if (first > 1) state.store.prepend(page(first - 1));
    return Promise.resolve();
  };
  const client = { user: me, rooms: { loadOlder } };
  return {
    calls: () => calls,
    find: (count: number) => oldestUnread(client, room, count, lastSeq),
  };
}

Deno.test("oldestUnread() counts back over the messages of others", async () => {
  const { find, calls } = setUp(40);
  assert.equal(await find(3), 37);
  assert.equal(calls(), 0);
});

Deno.test("oldestUnread() fetches as much history as it takes", async () => {
  const { find, calls } = setUp(40);
  assert.equal(await find(11), 28);
  assert.equal(calls(), 1);
});

Deno.test("oldestUnread() ends at the first message there is, and after 20 pages", async () => {
  assert.equal(await setUp(40).find(1000), 1);
  const { find, calls } = setUp(4000);
  assert.equal(await find(4000), 3791);
  assert.equal(calls(), 20);
});
