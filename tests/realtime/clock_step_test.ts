/** The time of day is set forward and back: what lasts for a while lasts as long as it would have. */

import assert from "node:assert/strict";
import { useTestApp } from "../helpers/app.ts";
import { createRoom, joinRoom, type Person } from "../helpers/people.ts";
import { numbers } from "./fakes.ts";
import {
  createRoomWithMembers,
  newPerson,
  say,
  send,
} from "../helpers/rooms.ts";
import { createSkippingTime } from "../helpers/skipping_time.ts";

const HOUR_MS = 3_600_000;

/** Time that passes for everybody. */
const time = createSkippingTime();
/** By how much the time of day is wrong. */
let step = 0;
const app = useTestApp({}, {
  start: {
    clock: () => time.clock() + step,
    steadyClock: time.clock,
    timers: time.timers,
  },
});

async function statusOf(reader: Person, roomId: string, person: Person) {
  const members = await reader.getJson<{ id: string; status: string }[]>(
    `/api/rooms/${roomId}/members`,
  );
  return members.find(({ id }) => id === person.user.id)?.status;
}

/** An event stream: it is the one that is online only by what it posts. */
async function openStream(person: Person) {
  const ended = new AbortController();
  const stream = await person.fetch("/api/events", { signal: ended.signal });
  const { value } = await stream.body!.getReader().read();
  const hello = new TextDecoder().decode(value).slice("data: ".length);
  const { connectionId } = JSON.parse(hello).data;
  return {
    async ping() {
      const answer = await person.fetch(
        `/api/events?connection=${connectionId}`,
        { method: "POST", json: { event: "presence:ping", data: {} } },
      );
      assert.equal(answer.status, 204);
    },
    [Symbol.dispose]: () => ended.abort(),
  };
}

for (
  const [what, ms] of [["forward", HOUR_MS], ["back", -HOUR_MS]] as const
) {
  Deno.test(`a clock that is set ${what} by an hour takes nobody offline, and keeps nobody online`, async () => {
    const [alice, bob] = [await newPerson(app), await newPerson(app)];
    const { id } = await createRoom(alice);
    await joinRoom(bob, id);
    using alices = await openStream(alice);
    using _ = await openStream(bob);
    step += ms;
    // Silent users are looked for every second.
    await time.skip(2_000);
    assert.equal(await statusOf(alice, id, bob), "online");

    await time.skip(20_000);
    await alices.ping();
    assert.equal(await statusOf(alice, id, bob), "online");
    await time.skip(10_000);
    assert.equal(await statusOf(alice, id, bob), "offline");
    assert.equal(await statusOf(alice, id, alice), "online");
  });
}

Deno.test("a mute lasts as long as it was to, whatever becomes of the clock", async () => {
  await using chat = await createRoomWithMembers(app, 1);
  const [{ socket }] = chat.members;
  const muted = async () => {
    const ack = await send(socket, chat.room.id);
    return !ack.success && ack.code === "muted"
      ? Date.parse(ack.mutedUntil!) - time.clock() - step
      : undefined;
  };
  for (const ms of [HOUR_MS, -HOUR_MS]) {
    for (const _ of numbers(1, 5)) await say(socket, chat.room.id);
    assert.ok(await muted(), "the sixth");
    step += ms;
    // What is told is a time of day as it is now.
    const left = await muted();
    assert.ok(left !== undefined && left > 0 && left <= 30_000, String(left));
    await time.skip(29_000);
    assert.ok(await muted());
    await time.skip(1_000);
  }
  await say(socket, chat.room.id);
});
