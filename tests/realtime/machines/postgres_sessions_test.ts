/** What ends on one machine has ended on the others; what is counted against guessing is counted once. */

import assert from "node:assert/strict";
import { CloseCode } from "../../../realtime/protocol/close_codes.ts";
import { signSession } from "../../../routes/auth/access_tokens.ts";
import { createSessionKeys } from "../../../routes/auth/session_keys.ts";
import { connect, type TestClient } from "../../helpers/client.ts";
import {
  createRoom,
  joinRoom,
  leaveRoom,
  type Person,
  postJson,
} from "../../helpers/people.ts";
import { numbers } from "../fakes.ts";
import {
  createSharedRoom,
  newPerson,
  say,
  send,
  until,
} from "../../helpers/rooms.ts";
import { expectTook, stopwatch } from "../../helpers/timing.ts";
import { at, missing, signInAgain, useMachines } from "./machines.ts";

const machines = useMachines(2, { AUTH_RATE_LIMIT: "on" });
const ignore = missing !== undefined;

/** Code requests for one name that are answered, in a quarter of an hour. */
const CODE_REQUESTS_PER_NAME = 30;

/** A session that ended elsewhere closes its sockets within this time, whatever Redis does, in milliseconds. */
const SIGN_OUT_LIMIT_MS = 4_000;

Deno.test({
  name:
    "leaving a room on one machine cuts the user's sockets on the others: their last line is the leave",
  ignore,
  async fn() {
    await using chat = await createSharedRoom(machines.all);
    const [a, b] = chat.members;
    const { id: roomId } = chat.room;
    await say(a.socket, roomId);
    await b.socket.waitFor("message:new");
    b.socket.forget();
    const leaving = stopwatch();
    await leaveRoom(at(machines.all[0], b.person), roomId);
    const line = await b.socket.waitFor("room:system");
    expectTook("leaving", leaving(), 1_000);
    assert.equal(line.type, "leave");
    assert.deepEqual(line.user, b.person.user);
    await a.socket.waitFor("room:system", ({ type }) => type === "leave");

    await say(a.socket, roomId);
    await say(a.socket, roomId);
    // Told by the same way, after them.
    const other = await createRoom(b.person);
    await b.socket.expect("room:join", { roomId: other.id });
    await joinRoom(a.person, other.id);
    await say(a.socket, other.id);
    await b.socket.waitFor("message:new", (each) => each.roomId === other.id);
    const ofRoom = b.socket.events.filter(({ data }) =>
      "roomId" in data && data.roomId === roomId
    );
    assert.deepEqual(ofRoom.map(({ event }) => event), ["room:system"]);
    const ack = await send(b.socket, roomId);
    assert.ok(!ack.success && ack.code === "not_a_member");
  },
});

Deno.test({
  name:
    "who leaves on one machine and is back before another has heard of it stays a member there",
  ignore,
  async fn() {
    await using chat = await createSharedRoom(machines.all);
    const [a, b] = chat.members;
    const [here, there] = machines.all;
    const { id: roomId } = chat.room;
    const { wayToRedis } = there;
    try {
      // Shorter than what counts as away; were it longer, the leave would be lost, not late.
      for (const line of wayToRedis.lines) line.down.setMode("hold");
      await leaveRoom(at(here, b.person), roomId);
      // Not there: a call of the API waits for Redis, too, until that counts as away.
      await joinRoom(at(here, b.person), roomId);
      await b.socket.expect("room:join", { roomId });
    } finally {
      wayToRedis.heal();
      await machines.broker("ok");
    }
    // Told by the same way as the leave, after it.
    const { messageId } = await say(a.socket, roomId);
    const message = await b.socket.waitFor("message:new", undefined, 8_000);
    assert.equal(message.messageId, messageId);
    const own = b.socket.all("room:system").filter(({ user }) =>
      user?.id === b.person.user.id
    );
    assert.deepEqual(own, []);
  },
});

Deno.test({
  name:
    "logging out on one machine closes the session's sockets on the others with 4401, and no other session's",
  ignore,
  async fn() {
    const [here, there] = machines.all;
    const person = await newPerson(here);
    const other = await signInAgain(there, person);
    await using socket = await connect(there, person);
    await using spared = await connect(there, other);
    const ending = stopwatch();
    const answer = await person.fetch("/api/auth/logout", { method: "POST" });
    assert.equal(answer.status, 204);
    assert.equal((await socket.closed).code, 4401);
    expectTook("signing out", ending(), SIGN_OUT_LIMIT_MS);
    const refused = await at(there, person).fetch("/api/auth/me");
    await refused.body?.cancel();
    assert.equal(refused.status, 401);
    await spared.expect("presence:ping", {});
  },
});

Deno.test({
  name:
    "ending a session or all of them on one machine closes their sockets on the others",
  ignore,
  async fn() {
    const [here, there] = machines.all;
    const person = await newPerson(here);
    const other = await signInAgain(there, person);
    await using first = await connect(there, person);
    await using second = await connect(there, other);
    const sessions = await at(here, person).getJson<
      { id: string; isCurrent?: boolean }[]
    >("/api/auth/sessions");
    const ended = sessions.find(({ isCurrent }) => !isCurrent)!;
    const one = await at(here, person).fetch(
      `/api/auth/sessions/${ended.id}`,
      { method: "DELETE" },
    );
    assert.equal(one.status, 204);
    assert.equal((await second.closed).code, 4401);
    await first.expect("presence:ping", {});
    const all = await at(here, person).fetch("/api/auth/logout-everywhere", {
      method: "POST",
    });
    assert.equal(all.status, 204);
    assert.equal((await first.closed).code, 4401);
  },
});

Deno.test({
  name:
    "without Redis too a session that ended elsewhere loses its sockets, a little later",
  ignore,
  async fn() {
    const [here, there] = machines.all;
    const person = await newPerson(here);
    await using socket = await connect(there, person);
    await machines.redis.kill();
    try {
      await machines.broker("away");
      const ending = stopwatch();
      const answer = await person.fetch("/api/auth/logout", { method: "POST" });
      assert.equal(answer.status, 204);
      assert.equal((await socket.closed).code, 4401);
      expectTook("signing out", ending(), SIGN_OUT_LIMIT_MS);
    } finally {
      await machines.redis.start();
      await machines.broker("ok");
    }
  },
});

Deno.test({
  name:
    "without Redis too signing out everywhere ends sockets elsewhere whose tokens belong to no session",
  ignore,
  async fn() {
    const [here, there] = machines.all;
    const [person, other] = [await newPerson(here), await newPerson(here)];
    const keys = await createSessionKeys(String(machines.env["JWT_SECRET"]));
    const connectAs = async ({ user }: Person) => {
      const now = Date.now() - 2_000;
      const token = await signSession(keys, user, {
        ...{ now, expiresInSeconds: 600 },
      });
      return await connect(there, { token });
    };
    await using socket = await connectAs(person);
    await using spared = await connectAs(other);
    let code: number | undefined;
    void socket.closed.then((end) => code = end.code);
    there.wayToRedis.setMode("discard");
    try {
      const answer = await person.fetch("/api/auth/logout-everywhere", {
        method: "POST",
      });
      assert.equal(answer.status, 204);
      await until("the socket is closed", () => code !== undefined);
      assert.equal(code, 4401);
      await spared.expect("presence:ping", {});
    } finally {
      there.wayToRedis.cutAll("reset");
      there.wayToRedis.heal();
      await machines.broker("ok");
    }
  },
});

Deno.test({
  name: "requests for codes are counted over all machines",
  ignore,
  async fn() {
    const username = `asked_${crypto.randomUUID().slice(0, 8)}`;
    const statuses: number[] = [];
    for (const n of numbers(1, CODE_REQUESTS_PER_NAME + 2)) {
      const machine = machines.all[n % 2]!;
      const answer = await postJson(machine, "/api/auth/request-code", {
        username,
      });
      await answer.body?.cancel();
      statuses.push(answer.status);
    }
    assert.deepEqual(statuses, [
      ...numbers(1, CODE_REQUESTS_PER_NAME).map(() => 200),
      429,
      429,
    ]);
  },
});

Deno.test({
  name:
    "a user's sockets and streams are counted over the machines: the 26th is told so, wherever it comes",
  ignore,
  async fn() {
    const [one, two] = machines.all;
    const person = await newPerson(one);
    const sockets: TestClient[] = [];
    for (const n of numbers(1, 25)) {
      sockets.push(await connect(n % 2 === 0 ? one : two, person));
      // It is let in: what is refused is closed before any answer.
      await sockets.at(-1)!.expect("presence:ping", {});
    }
    for (const machine of [one, two]) {
      const refused = await connect(machine, person);
      assert.equal((await refused.closed).code, CloseCode.tooManyFrames);
      const stream = await fetch(`${machine.origin}/api/events`, {
        headers: { authorization: `Bearer ${person.token}` },
      });
      await stream.body?.cancel();
      assert.equal(stream.status, 429);
    }
    await sockets.pop()!.close();
    await until("the place is free for another machine", async () => {
      const socket = await connect(one, person);
      const answer = socket.request("presence:ping", {});
      const isIn = await answer.then(() => true, () => false);
      if (isIn) sockets.push(socket);
      return isIn;
    });
    for (const socket of sockets) await socket[Symbol.asyncDispose]();
  },
});
