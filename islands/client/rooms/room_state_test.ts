import assert from "node:assert/strict";
import type { Room } from "../api.ts";
import { FakeClock, message } from "../fakes.ts";
import { RoomState } from "./room_state.ts";

const me = { id: "me", username: "me" };

const ROOM: Room = {
  id: "room",
  name: "room",
  createdAt: "2026-01-01T00:00:00.000Z",
  createdBy: me,
  memberCount: 2,
  isMember: true,
  lastSeq: 0,
  lastRev: 0,
  epoch: "",
};

const page = (first: number, last: number) => ({
  messages: Array.from(
    { length: last - first + 1 },
    (_, n) => message(first + n),
  ),
  hasMore: first > 1,
});

Deno.test("a newest page that comes after newer messages takes none of them away, and counts nothing", () => {
  const state = new RoomState(ROOM, new FakeClock());
  state.skipTo(page(451, 500), {
    ...ROOM,
    lastSeq: 500,
    lastReadSeq: 0,
    unreadCount: 100,
  }, me);
  for (const { seq } of page(501, 540).messages) {
    state.receive(message(seq), me);
  }
  const { unread } = state;
  state.skipTo(page(471, 520), {
    ...ROOM,
    lastSeq: 520,
    lastReadSeq: 0,
    unreadCount: 100,
  }, me);
  assert.equal(state.store.messages.at(-1)?.seq, 540);
  assert.equal(state.store.hasNewer, false);
  assert.equal(state.unread, unread);
});
