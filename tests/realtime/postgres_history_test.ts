/** A database that has lost what was shown: a standby that lagged took over, or a backup was put back. */

import assert from "node:assert/strict";
import { sql } from "kysely";
import { openDatabase } from "../../db/engine/database.ts";
import { startTestApp, UNLIMITED } from "../helpers/app.ts";
import { connect } from "../helpers/client.ts";
import { silentLog } from "../helpers/log.ts";
import { createRoom, joinRoom, type Room, signIn } from "../helpers/people.ts";

Deno.test("clients of a database that has lost messages are told to come back, and load anew", async () => {
  await using app = await startTestApp(UNLIMITED);
  await using db = await openDatabase(app.place, silentLog);
  const [ada, bob] = [await signIn(app, "ada"), await signIn(app, "bob")];
  const { id: roomId } = await createRoom(ada);
  await joinRoom(bob, roomId);
  await using adas = await connect(app, ada);
  await using bobs = await connect(app, bob);
  const { epoch } = await bobs.expect("room:join", { roomId });
  await adas.expect("room:join", { roomId });
  const post = (n: number) => ({
    ...{ roomId, text: `message ${n}`, clientMsgId: crypto.randomUUID() },
  });
  const lost = post(5);
  for (let n = 1; n <= 4; n++) await adas.expect("message:send", post(n));
  await adas.expect("message:send", lost);
  await bobs.waitFor("message:new", ({ seq }) => seq === 5);

  await sql`delete from messages where room_id = ${roomId} and seq > 3`
    .execute(db);
  await sql`update rooms set last_seq = 3 where id = ${roomId}`.execute(db);
  await adas.expect("message:send", post(6));
  assert.equal((await bobs.closed).code, 1012);
  assert.equal((await adas.closed).code, 1012);

  await using again = await connect(app, bob);
  const { results: [result] } = await again.expect("rooms:sync", {
    rooms: [{ roomId, lastSeq: 5, lastRev: 0, epoch }],
  });
  assert.equal(result?.reset, true);
  const room = await bob.getJson<Room>(`/api/rooms/${roomId}`);
  assert.notEqual(room.epoch, epoch);
  assert.equal(room.epoch, result?.epoch);

  await using back = await connect(app, ada);
  const retried = await back.expect("message:send", lost);
  assert.deepEqual([retried.seq, retried.isDuplicate], [5, undefined]);
});

Deno.test("a client that comes only when the numbers have passed its own is told by the epoch", async () => {
  await using app = await startTestApp(UNLIMITED);
  await using db = await openDatabase(app.place, silentLog);
  const ada = await signIn(app, "ada");
  const { id: roomId } = await createRoom(ada);
  const send = async (count: number) => {
    await using client = await connect(app, ada);
    const { epoch } = await client.expect("room:join", { roomId });
    for (let n = 0; n < count; n++) {
      await client.request("message:send", {
        ...{ roomId, text: `${n}`, clientMsgId: crypto.randomUUID() },
      });
    }
    return epoch;
  };
  const epoch = await send(2);
  await using watcher = await connect(app, ada);
  await watcher.expect("room:join", { roomId });
  await sql`delete from messages where room_id = ${roomId}`.execute(db);
  await sql`update rooms set last_seq = 0 where id = ${roomId}`.execute(db);
  await send(1);
  assert.equal((await watcher.closed).code, 1012);
  await send(2);
  await using client = await connect(app, ada);
  const { results: [result] } = await client.expect("rooms:sync", {
    rooms: [{ roomId, lastSeq: 2, lastRev: 0, epoch }],
  });
  assert.equal(result?.reset, true);
});
