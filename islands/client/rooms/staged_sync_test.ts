import assert from "node:assert/strict";
import { FakeClock, settle } from "../fakes.ts";
import { RoomState } from "./room_state.ts";
import {
  FIRST_ROOMS,
  ROOMS_PER_STAGE,
  StagedSync,
  SYNC_RETRY_MS,
} from "./staged_sync.ts";

/** So many rooms, the most recently active first, and a server that answers when it is told to. */
function setUp(count: number) {
  const clock = new FakeClock();
  const states = Array.from({ length: count }, (_, n) =>
    new RoomState({
      id: String(n),
      name: "",
      createdAt: "",
      createdBy: { id: "me", username: "me" },
      memberCount: 1,
      isMember: true,
      lastSeq: 0,
      lastRev: 0,
      epoch: "",
    }, clock));
  const asked: string[][] = [];
  const answers: ((isSynced: boolean) => void)[] = [];
  const stages = new StagedSync({
    clock,
    sync: (rooms) => {
      asked.push(rooms.map(({ room }) => room.id));
      return new Promise((resolve) => answers.push(resolve));
    },
  });
  /** Answers the oldest question. */
  const answer = async (isSynced = true) => {
    answers.shift()?.(isSynced);
    await settle();
  };
  return { clock, states, stages, asked, answer };
}

const ids = (first: number, end: number) =>
  Array.from({ length: end - first }, (_, n) => String(first + n));

Deno.test("the open room is synced first, then those that hold messages, then the newest", async () => {
  const { stages, states, asked, answer } = setUp(FIRST_ROOMS + 4);
  states[7]!.isOpen = true;
  states[6]!.isLoaded = true;
  const isLive = stages.syncFirst(states);
  await answer();
  assert.equal(await isLive, true);
  assert.deepEqual(asked, [["7", "6", "0", "1", "2"]]);
});

Deno.test("the other rooms follow in stages, each when the one before is through", async () => {
  const end = FIRST_ROOMS + ROOMS_PER_STAGE + 3;
  const { stages, states, asked, answer } = setUp(end);
  stages.syncFirst(states);
  await answer();
  assert.equal(asked.length, 1, "only when the line is live");
  stages.syncRest();
  const second = FIRST_ROOMS + ROOMS_PER_STAGE;
  assert.deepEqual(asked[1], ids(FIRST_ROOMS, second));
  assert.equal(asked.length, 2);
  await answer();
  assert.deepEqual(asked[2], ids(second, end));
  await answer();
  assert.equal(asked.length, 3);
});

Deno.test("a room that is opened is synced at once, and not again in its turn", async () => {
  const { stages, states, asked, answer } = setUp(
    FIRST_ROOMS + 2 * ROOMS_PER_STAGE,
  );
  stages.syncFirst(states);
  await answer();
  stages.syncRest();
  const late = states.at(-1)!;
  stages.opened(late);
  assert.deepEqual(asked[2], [late.room.id]);
  stages.opened(states[0]!);
  assert.equal(asked.length, 3, "it was synced before");
  for (let stage = 0; stage < 3; stage++) await answer();
  assert.equal(asked.flat().filter((id) => id === late.room.id).length, 1);
  assert.equal(new Set(asked.flat()).size, states.length);
});

Deno.test("a stage that is refused is asked for again a little later, with the rooms that wait", async () => {
  const { stages, states, asked, answer, clock } = setUp(FIRST_ROOMS + 2);
  stages.syncFirst(states);
  await answer();
  stages.syncRest();
  await answer(false);
  assert.equal(asked.length, 2);
  stages.follow([]);
  await clock.advance(SYNC_RETRY_MS);
  assert.deepEqual(asked.slice(2), [asked[1]]);
  await answer();
  await clock.advance(SYNC_RETRY_MS);
  assert.equal(asked.length, 3);
});

Deno.test("an opened room whose sync is refused waits with the others", async () => {
  const { stages, states, asked, answer, clock } = setUp(FIRST_ROOMS + 1);
  stages.syncFirst(states);
  await answer();
  const opened = states.at(-1)!;
  stages.opened(opened);
  await answer(false);
  await answer(false);
  await clock.advance(SYNC_RETRY_MS);
  assert.deepEqual(asked.slice(1), Array(3).fill([opened.room.id]));
});

Deno.test("after a lost line nothing more is asked for over it, and the next one brings all rooms", async () => {
  const { stages, states, asked, answer, clock } = setUp(
    FIRST_ROOMS + 2 * ROOMS_PER_STAGE,
  );
  stages.syncFirst(states);
  await answer();
  stages.syncRest();
  stages.lineLost();
  await answer(false);
  await clock.advance(SYNC_RETRY_MS);
  assert.equal(asked.length, 2);

  stages.syncFirst(states);
  await answer();
  stages.syncRest();
  for (let stage = 0; stage < 2; stage++) await answer();
  assert.equal(new Set(asked.slice(2).flat()).size, states.length);
});

Deno.test("rooms that come to the list are synced; one that was left is not", async () => {
  const { stages, states, asked, answer } = setUp(FIRST_ROOMS + 2);
  stages.syncFirst(states.slice(0, FIRST_ROOMS));
  await answer();
  stages.follow(states.slice(FIRST_ROOMS));
  assert.deepEqual(asked[1], ids(FIRST_ROOMS, FIRST_ROOMS + 2));
  await answer();
  stages.syncFirst(states);
  stages.removed(states.at(-1)!);
  await answer();
  stages.syncRest();
  assert.deepEqual(asked[3], [String(FIRST_ROOMS)]);
});
