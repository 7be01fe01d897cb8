/** Who is where, seen from a machine they have no socket on. */

import assert from "node:assert/strict";
import { connect } from "../../helpers/client.ts";
import { joinRoom } from "../../helpers/people.ts";
import {
  createSharedRoom,
  forgetPast,
  newPerson,
  say,
  until,
} from "../../helpers/rooms.ts";
import { expectTook, stopwatch } from "../../helpers/timing.ts";
import { untilClosed } from "../../helpers/metrics.ts";
import { at, missing, statusOf, useMachines } from "./machines.ts";

const machines = useMachines(2);
const ignore = missing !== undefined;

Deno.test({
  name:
    "who comes online on one machine and goes offline is in the others' rosters within a second",
  ignore,
  async fn() {
    await using chat = await createSharedRoom(machines.all);
    const [{ socket, person }, b] = chat.members;
    const { id: roomId } = chat.room;
    const [here, there] = machines.all;
    assert.equal(await statusOf(here, person, roomId, b.person), "online");
    const left = stopwatch();
    await b.socket.close();
    const roster = await socket.waitFor(
      "room:roster",
      ({ onlineCount }) => onlineCount === 1,
    );
    expectTook("going offline", left(), 1_000);
    assert.deepEqual(roster.users, [
      { ...person.user, status: "online" },
      { ...b.person.user, status: "offline" },
    ]);
    assert.equal(await statusOf(here, person, roomId, b.person), "offline");
    assert.equal(await statusOf(there, person, roomId, person), "online");

    const back = stopwatch();
    await using again = await connect(there, b.person);
    await again.expect("presence:ping", {});
    await socket.waitFor(
      "room:roster",
      ({ onlineCount }) => onlineCount === 2,
    );
    expectTook("coming online", back(), 1_500);
  },
});

Deno.test({
  name:
    "with a socket on each machine one is enough to be online: closing it changes nothing, closing the last does",
  ignore,
  async fn() {
    await using chat = await createSharedRoom(machines.all);
    const [{ socket, person }, b] = chat.members;
    const tab = await chat.subscribe(machines.all[0], b.person);
    const [here, there] = machines.all;
    await forgetPast(here, [socket]);
    await untilClosed(there, () => b.socket.close());
    // What the machine tells of another now comes after what it would tell of that.
    const late = await newPerson(there);
    await joinRoom(late, chat.room.id);
    await using _late = await connect(there, late);
    await socket.waitFor("room:roster", ({ onlineCount }) => onlineCount === 3);
    for (const machine of machines.all) {
      assert.equal(
        await statusOf(machine, person, chat.room.id, b.person),
        "online",
      );
    }
    for (const { users } of socket.all("room:roster")) {
      const { status } = users.find(({ id }) => id === b.person.user.id)!;
      assert.equal(status, "online");
    }
    socket.forget();
    await tab.close();
    await socket.waitFor("room:roster", ({ onlineCount }) => onlineCount === 2);
    await until(
      "offline on the machine they had left first too",
      async () =>
        await statusOf(
          machines.all[1],
          person,
          chat.room.id,
          b.person,
        ) === "offline",
    );
  },
});

Deno.test({
  name:
    "room:join and room:leave on one machine are announced to the subscribers on the others",
  ignore,
  async fn() {
    await using chat = await createSharedRoom(machines.all);
    const [{ socket }] = chat.members;
    const { id: roomId } = chat.room;
    const late = await newPerson(machines.all[1]);
    await joinRoom(late, roomId);
    await using theirs = await connect(machines.all[1], late);
    await forgetPast(machines.all[0], [socket]);
    await theirs.expect("room:join", { roomId });
    const join = await socket.waitFor("room:system");
    assert.equal(join.type, "join");
    assert.deepEqual(join.user, late.user);
    await theirs.expect("room:leave", { roomId });
    const leave = await socket.waitFor(
      "room:system",
      ({ type }) => type === "leave",
    );
    assert.deepEqual(leave.user, late.user);
    await say(theirs, roomId);
    await socket.waitFor("message:new");
    assert.equal(socket.all("room:system").length, 2, "each is told once");
  },
});

Deno.test({
  name:
    "a membership that begins on one machine is in the rosters of the others",
  ignore,
  async fn() {
    await using chat = await createSharedRoom(machines.all);
    const [{ socket }] = chat.members;
    const late = await newPerson(machines.all[1]);
    await joinRoom(late, chat.room.id);
    const roster = await socket.waitFor(
      "room:roster",
      ({ memberCount }) => memberCount === 3,
    );
    assert.ok(roster.users.some(({ id }) => id === late.user.id));
    await at(machines.all[1], late).fetch(
      `/api/rooms/${chat.room.id}/leave`,
      { method: "POST" },
    ).then((answer) => answer.body?.cancel());
    socket.forget();
    await socket.waitFor("room:roster", ({ memberCount }) => memberCount === 2);
  },
});

Deno.test({
  name:
    "a machine that is stopped takes its users offline on the others at once",
  ignore,
  async fn() {
    await using chat = await createSharedRoom(machines.all);
    const [{ socket }] = chat.members;
    const third = await machines.add();
    const person = await newPerson(third);
    await joinRoom(person, chat.room.id);
    const theirs = await connect(third, person);
    await socket.waitFor("room:roster", ({ onlineCount }) => onlineCount === 3);
    socket.forget();
    const stopped = stopwatch();
    const stopping = third.stop();
    assert.equal((await theirs.closed).code, 1012);
    await socket.waitFor("room:roster", ({ onlineCount }) => onlineCount === 2);
    expectTook("going offline", stopped(), 2_000);
    await stopping;
    machines.forget(third);
  },
});

Deno.test({
  name: "typing is seen on the other machine, begins and ends",
  ignore,
  async fn() {
    await using chat = await createSharedRoom(machines.all);
    const [a, b] = chat.members;
    const { id: roomId } = chat.room;
    await b.socket.expect("typing:update", { roomId, isTyping: true });
    assert.deepEqual(await a.socket.waitFor("typing:update"), {
      roomId,
      user: b.person.user,
      isTyping: true,
    });
    await b.socket.expect("typing:update", { roomId, isTyping: false });
    await a.socket.waitFor("typing:update", ({ isTyping }) => !isTyping);
    assert.deepEqual(b.socket.all("typing:update"), []);

    a.socket.forget();
    await b.socket.expect("typing:update", { roomId, isTyping: true });
    await a.socket.waitFor("typing:update", ({ isTyping }) => isTyping);
    await b.socket.close();
    await a.socket.waitFor("typing:update", ({ isTyping }) => !isTyping);
  },
});
