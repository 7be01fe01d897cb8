import assert from "node:assert/strict";
import { createFakeClock } from "../../tests/helpers/clock.ts";
import { AnnouncementLimit } from "./announcement_limit.ts";

const MINUTE_MS = 60_000;

function setUp() {
  const clock = createFakeClock();
  const told: string[] = [];
  const limit = new AnnouncementLimit(
    ({ data: { type, roomId, user, createdAt } }) => {
      told.push(`${createdAt} ${user.id} ${type} ${roomId}`);
    },
    clock,
  );
  let moment = 0;
  const line = (type: "join" | "leave", user = "ada", roomId = "room") => ({
    event: "room:system" as const,
    data: {
      ...{ type, roomId, user: { id: user, username: user } },
      createdAt: String(++moment),
    },
  });
  return { clock, told, limit, line };
}

Deno.test("four lines of a user in a room are told at once; then the last change, when the minute is over", async () => {
  const { clock, told, limit, line } = setUp();
  for (let n = 0; n < 20; n++) {
    limit.add(line("join"));
    limit.add(line("leave"));
  }
  limit.add(line("join"));
  const four = [
    "1 ada join room",
    "2 ada leave room",
    "3 ada join room",
    "4 ada leave room",
  ];
  assert.deepEqual(told, four);
  await clock.advance(MINUTE_MS);
  assert.deepEqual(told, [...four, "41 ada join room"]);
});

Deno.test("coming and going that cancel out are not told", async () => {
  const { clock, told, limit, line } = setUp();
  for (let n = 0; n < 20; n++) {
    limit.add(line("join"));
    limit.add(line("leave"));
  }
  await clock.advance(MINUTE_MS);
  assert.equal(told.length, 4);
  assert.equal(limit.size, 0);
  limit.add(line("join"));
  assert.equal(told.length, 5);
});

Deno.test("other users and other rooms have windows of their own", () => {
  const { told, limit, line } = setUp();
  for (let n = 0; n < 10; n++) limit.add(line("join"));
  limit.add(line("join", "bob"));
  limit.add(line("join", "ada", "other"));
  assert.deepEqual(told.slice(4), ["11 bob join room", "12 ada join other"]);
});

Deno.test("what waits is not told once another process has told what has become of it", async () => {
  const { clock, told, limit, line } = setUp();
  for (let n = 0; n < 2; n++) {
    limit.add(line("leave"));
    limit.add(line("join"));
  }
  limit.add(line("leave"));
  limit.told(line("join"));
  await clock.advance(MINUTE_MS);
  assert.equal(told.length, 4);
});
