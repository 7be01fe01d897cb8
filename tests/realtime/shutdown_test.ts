/** Rule 10 of the protocol: how the server ends, and that nothing acked is lost by it. */

import assert from "node:assert/strict";
import type { AckData } from "../../realtime/protocol/protocol.ts";
import { connect, type TestClient } from "../helpers/client.ts";
import { expectTook, stopwatch } from "../helpers/timing.ts";
import { makeMigratedPlace } from "../helpers/database.ts";
import { history } from "../helpers/history.ts";
import { type Person, postJson } from "../helpers/people.ts";
import { numbers } from "./fakes.ts";
import { Opcode, openRaw } from "./raw_socket.ts";
import { startServer } from "./server_process.ts";
import {
  createRoomWithMembers,
  newPerson,
  send,
  until,
} from "../helpers/rooms.ts";

const ENV = {
  JWT_SECRET: "0123456789abcdef0123456789abcdef",
  RATE_LIMIT_MESSAGES: "100000",
  FRAME_LIMIT_BURST: "100000",
  FRAME_LIMIT_PER_SECOND: "100000",
};

/** After SIGTERM the process must be gone by then, in milliseconds. */
const STOP_LIMIT_MS = 10_000;

/** Between two messages of one writer, in milliseconds. */
const SEND_PAUSE_MS = 2;

/** Acks that every writer has before the process is ended. */
const ACKS_BEFORE = 60;

interface Sent {
  clientMsgId: string;
  /** Undefined while there is no answer. */
  ack?: AckData<"message:send">;
}

/** Sends message after message, without waiting for acks, until the socket closes. */
function keepSending(socket: TestClient, roomId: string) {
  const all: Sent[] = [];
  let open = true;
  socket.closed.then(() => open = false);
  const run = async () => {
    const answers: Promise<unknown>[] = [];
    while (open) {
      const sent: Sent = { clientMsgId: crypto.randomUUID() };
      all.push(sent);
      answers.push(
        send(socket, roomId, { clientMsgId: sent.clientMsgId })
          .then((ack) => sent.ack = ack, () => {}),
      );
      // Some hundred messages a second of each: enough to be cut off in the midst of them.
      await new Promise((resolve) => setTimeout(resolve, SEND_PAUSE_MS));
    }
    await Promise.all(answers);
    return all;
  };
  return {
    ended: run(),
    acked: () => all.filter(({ ack }) => ack?.success).length,
  };
}

/** The same person, asking a server at another address. */
function at(person: Person, origin: string): Person {
  const moved: Person = {
    ...person,
    fetch: (path, init = {}) =>
      fetch(origin + path, {
        ...init,
        headers: { authorization: `Bearer ${person.token}` },
      }),
    getJson: async <T>(path: string) =>
      (await moved.fetch(path)).json() as Promise<T>,
  };
  return moved;
}

for (const signal of ["SIGTERM", "SIGKILL"] as const) {
  Deno.test(`${signal} while everyone writes: nothing acked is lost, and what is sent again is stored once`, async () => {
    await using place = await makeMigratedPlace();
    await using first = await startServer(place, ENV);
    const chat = await createRoomWithMembers(first, 3);
    const { id: roomId } = chat.room;
    const people = chat.members.map(({ person }) => person);
    const sending = chat.members.map(({ socket }) =>
      keepSending(socket, roomId)
    );
    await using reader = await connect(first, people[0]!);
    await until(
      "everybody writes",
      () => sending.every(({ acked }) => acked() >= ACKS_BEFORE),
    );

    const stopping = stopwatch();
    first.signal(signal);
    const byWriter = await Promise.all(sending.map(({ ended }) => ended));
    const sent = byWriter.flat();
    const { code } = await first.ended;
    /** Writers whose line was closed in order: their answers cannot have been lost on it. */
    const informed: Sent[] = [];
    if (signal === "SIGTERM") {
      assert.equal(code, 0);
      expectTook("stopping", stopping(), STOP_LIMIT_MS);
      assert.equal((await reader.closed).code, 1012);
      for (const [index, { socket }] of chat.members.entries()) {
        // The runtime cuts a line on which a frame crosses the close: who writes at that very moment
        // may see a broken line, which means "come back" too.
        const { code } = await socket.closed;
        assert.ok([1012, 0].includes(code));
        if (code === 1012) informed.push(...byWriter[index]!);
      }
    }
    const acked = sent.filter(({ ack }) => ack?.success);
    assert.ok(acked.length >= 3 * ACKS_BEFORE, `only ${acked.length} acked`);

    await using second = await startServer(place, ENV);
    const later = at(people[0]!, second.origin);
    const before = await history(later, roomId);
    assert.deepEqual(before.map(({ seq }) => seq), numbers(1, before.length));
    const byClientId = new Map(before.map((m) => [m.clientMsgId, m]));
    for (const { clientMsgId, ack } of acked) {
      const stored = byClientId.get(clientMsgId);
      assert.ok(ack?.success);
      assert.deepEqual([stored?.messageId, stored?.seq], [
        ...[ack.messageId, ack.seq],
      ]);
    }

    assert.deepEqual(
      informed.filter(({ clientMsgId, ack }) =>
        ack === undefined && byClientId.has(clientMsgId)
      ),
      [],
      "what was accepted is answered",
    );

    await using again = await connect(second, people[0]!);
    for (const { clientMsgId, ack } of byWriter[0]!) {
      if (ack?.success) continue;
      const retry = await send(again, roomId, { clientMsgId });
      assert.ok(retry.success);
      assert.equal(retry.isDuplicate ?? false, byClientId.has(clientMsgId));
    }
    const after = await history(later, roomId);
    assert.deepEqual(after.map(({ seq }) => seq), numbers(1, after.length));
    assert.equal(
      new Set(after.map(({ clientMsgId }) => clientMsgId)).size,
      after.length,
    );
  });
}

Deno.test("a stream and a client that does not read do not hold up the end; meanwhile it is not ready and accepts nobody", async () => {
  await using place = await makeMigratedPlace();
  await using server = await startServer(place, ENV);
  await using chat = await createRoomWithMembers(server, 2);
  const [{ person, socket: writer }, { person: slow, socket: closing }] =
    chat.members;
  const { id: roomId } = chat.room;
  await closing.close();
  const stream = (await person.fetch("/api/events")).text();
  using raw = await openRaw(server, slow);
  await raw.sendFrame(
    Opcode.text,
    JSON.stringify({ id: 1, event: "room:join", data: { roomId } }),
  );
  await raw.read();
  const isOnline = async () =>
    (await person.getJson<{ id: string; status: string }[]>(
      `/api/rooms/${roomId}/members`,
    )).find(({ id }) => id === slow.user.id)?.status === "online";
  // Enough to fill the kernel's buffers, so that frames wait in the server.
  for (let batch = 0; batch < 60 && await isOnline(); batch++) {
    const frames = numbers(1, 100).map(() =>
      send(writer, roomId, { text: "\u0001".repeat(500) })
    );
    await Promise.all(frames);
  }

  const stopping = stopwatch();
  server.signal("SIGTERM");
  let readiness: number | undefined;
  let upgraded: unknown;
  await until("it has ended or is not ready", async () => {
    const answer = await fetch(`${server.origin}/ready`).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer === undefined) return true;
    if (answer.status === 503) {
      readiness = 503;
      upgraded = await connect(server, person).catch(String);
      return true;
    }
    return false;
  });
  if (readiness !== undefined) assert.match(String(upgraded), /refused/);
  const { code } = await server.ended;
  assert.equal(code, 0);
  expectTook("stopping", stopping(), STOP_LIMIT_MS);
  assert.match(await stream, /data: {"event":"close","data":{"code":1012,/);
  assert.equal((await writer.closed).code, 1012);
});

Deno.test("SIGTERM twice, and SIGINT, end it once and well", async () => {
  for (const signals of [["SIGTERM", "SIGTERM"], ["SIGINT"]] as const) {
    await using place = await makeMigratedPlace();
    await using server = await startServer(place, ENV);
    await using socket = await connect(server, await newPerson(server));
    for (const signal of signals) server.signal(signal);
    assert.equal((await socket.closed).code, 1012);
    assert.equal((await server.ended).code, 0);
  }
});

Deno.test("an idle server ends at once", async () => {
  await using place = await makeMigratedPlace();
  await using server = await startServer(place, ENV);
  await (await postJson(server, "/api/auth/logout", {})).body?.cancel();
  const stopping = stopwatch();
  server.signal("SIGTERM");
  assert.equal((await server.ended).code, 0);
  expectTook("stopping", stopping(), 3_000);
});
