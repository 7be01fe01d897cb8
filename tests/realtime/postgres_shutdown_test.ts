/** Rule 10 when PostgreSQL is away at the moment the server is asked to stop. */

import assert from "node:assert/strict";
import { connect } from "../helpers/client.ts";
import { expectTook, stopwatch } from "../helpers/timing.ts";
import { makeMigratedPlace, type TestPlace } from "../helpers/database.ts";
import { createRoom } from "../helpers/people.ts";
import { type PostgresCluster, startPostgres } from "../helpers/postgres.ts";
import { startServer } from "./server_process.ts";
import { newPerson, send } from "../helpers/rooms.ts";

/** After SIGTERM clients must have been told by then, in milliseconds; the process has 10 s. */
const GOODBYE_LIMIT_MS = 7_500;

/** Within this time of SIGTERM the process must have ended, in milliseconds. */
const EXIT_LIMIT_MS = 10_000;

/** A server on a PostgreSQL of its own, with a message on its way. */
async function serveOn(cluster: PostgresCluster, folder: TestPlace) {
  const server = await startServer({
    ...folder,
    env: { ...folder.env, DATABASE_URL: cluster.url() },
  });
  const person = await newPerson(server);
  const room = await createRoom(person);
  const socket = await connect(server, person);
  return { server, room, socket };
}

for (const fault of ["frozen", "stopped"] as const) {
  Deno.test(`SIGTERM while PostgreSQL is ${fault}: clients are told in time to come back, nothing is acked`, async () => {
    await using cluster = await startPostgres();
    await using folder = await makeMigratedPlace("pglite");
    const { server, room, socket } = await serveOn(cluster, folder);
    await using _ = server;
    if (fault === "frozen") await cluster.pause();
    else await cluster.stop("immediate");
    const ack = send(socket, room.id).catch((error: Error) => error);
    // The process has read that frame when it answers what came after it.
    await (await fetch(`${server.origin}/health`)).body?.cancel();

    const stopping = stopwatch();
    server.signal("SIGTERM");
    assert.equal((await socket.closed).code, 1012);
    expectTook("a goodbye", stopping(), GOODBYE_LIMIT_MS);
    const answer = await ack;
    assert.ok(
      answer instanceof Error ||
        (!answer.success && answer.code === "unavailable"),
    );
    assert.equal((await server.ended).code, 0);
    expectTook("the end", stopping(), EXIT_LIMIT_MS);
    if (fault === "frozen") await cluster.resume();
  });
}
