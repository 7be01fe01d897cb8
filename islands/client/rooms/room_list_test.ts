import assert from "node:assert/strict";
import { effect } from "@preact/signals";
import type { Room } from "../api.ts";
import { FakeClock } from "../fakes.ts";
import { RoomList } from "./room_list.ts";

const user = { id: "me", username: "me" };

function room(id: string): Room {
  return {
    id,
    name: id,
    createdAt: "",
    createdBy: user,
    memberCount: 1,
    isMember: true,
    lastSeq: 0,
    lastRev: 0,
    epoch: "",
  };
}

function listOf(...ids: string[]) {
  const list = new RoomList(user, new FakeClock());
  for (const id of ids) list.add(room(id));
  return { list, order: () => list.sorted.map((state) => state.room.id) };
}

Deno.test("a room with a new message moves to the front", () => {
  const { list, order } = listOf("a", "b", "c");
  assert.deepEqual(order(), ["c", "b", "a"]);
  list.moveToFront(list.get("a")!);
  assert.deepEqual(order(), ["a", "c", "b"]);
});

Deno.test("a known room keeps its place and takes over what is new", () => {
  const { list, order } = listOf("a", "b");
  const state = list.get("a");
  assert.equal(list.add({ ...room("a"), name: "renamed" }), state);
  assert.equal(state?.room.name, "renamed");
  assert.deepEqual(order(), ["b", "a"]);
});

Deno.test("who asks for one room is not told of the order, who reads the list is", () => {
  const { list } = listOf("a", "b");
  let asked = 0;
  let read = 0;
  effect(() => {
    list.get("a");
    asked++;
  });
  effect(() => {
    list.sorted;
    read++;
  });
  list.moveToFront(list.get("a")!);
  assert.deepEqual([asked, read], [1, 2]);
  list.moveToFront(list.get("a")!);
  assert.deepEqual([asked, read], [1, 2], "it was the first already");
  list.remove("a");
  assert.deepEqual([asked, read], [2, 3]);
});
