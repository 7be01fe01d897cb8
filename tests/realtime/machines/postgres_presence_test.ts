/** Who is where, seen from a machine they have no socket on. */

import assert from "node:assert/strict";
import { connect } from "../../helpers/client.ts";
import { joinRoom } from "../../helpers/people.ts";
import { newPerson, pause, quiet, until } from "../setting.ts";
import { at, meet, missing, statusOf, useMachines } from "./machines.ts";

const machines = useMachines(2);
const ignore = missing !== undefined;

Deno.test({
  name:
    "who comes online on one machine and goes offline is in the others' rosters within a second",
  ignore,
  async fn() {
    await using chat = await meet(machines);
    const [{ socket, person }, b] = chat.guests;
    const { id: roomId } = chat.room;
    const [here, there] = machines.all;
    assert.equal(await statusOf(here, person, roomId, b.person), "online");
    const left = performance.now();
    await b.socket.close();
    const roster = await socket.waitFor(
      "room:roster",
      ({ onlineCount }) => onlineCount === 1,
    );
    assert.ok(performance.now() - left < 1_000);
    assert.deepEqual(roster.users, [
      { ...person.user, status: "online" },
      { ...b.person.user, status: "offline" },
    ]);
    assert.equal(await statusOf(here, person, roomId, b.person), "offline");
    assert.equal(await statusOf(there, person, roomId, person), "online");

    const back = performance.now();
    await using again = await connect(there, b.person);
    await again.expect("presence:ping", {});
    await socket.waitFor(
      "room:roster",
      ({ onlineCount }) => onlineCount === 2,
    );
    assert.ok(performance.now() - back < 1_500);
  },
});

Deno.test({
  name:
    "with a socket on each machine one is enough to be online: closing it changes nothing, closing the last does",
  ignore,
  async fn() {
    await using chat = await meet(machines);
    const [{ socket, person }, b] = chat.guests;
    const tab = await chat.enter(machines.all[0], b.person);
    await quiet([socket]);
    await b.socket.close();
    await pause(600);
    for (const machine of machines.all) {
      assert.equal(
        await statusOf(machine, person, chat.room.id, b.person),
        "online",
      );
    }
    assert.ok(
      socket.all("room:roster").every(({ onlineCount }) => onlineCount === 2),
    );
    await tab.close();
    await socket.waitFor("room:roster", ({ onlineCount }) => onlineCount === 1);
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
    await using chat = await meet(machines);
    const [{ socket }] = chat.guests;
    const { id: roomId } = chat.room;
    const late = await newPerson(machines.all[1]);
    await joinRoom(late, roomId);
    await using theirs = await connect(machines.all[1], late);
    await quiet([socket]);
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
    await pause(100);
    assert.equal(socket.all("room:system").length, 2, "each is told once");
  },
});

Deno.test({
  name:
    "a membership that begins on one machine is in the rosters of the others",
  ignore,
  async fn() {
    await using chat = await meet(machines);
    const [{ socket }] = chat.guests;
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
    await using chat = await meet(machines);
    const [{ socket }] = chat.guests;
    const third = await machines.add();
    const person = await newPerson(third);
    await joinRoom(person, chat.room.id);
    const theirs = await connect(third, person);
    await socket.waitFor("room:roster", ({ onlineCount }) => onlineCount === 3);
    socket.forget();
    const stopped = performance.now();
    const stopping = third.stop();
    assert.equal((await theirs.closed).code, 1012);
    await socket.waitFor("room:roster", ({ onlineCount }) => onlineCount === 2);
    assert.ok(performance.now() - stopped < 2_000);
    await stopping;
    machines.forget(third);
  },
});

Deno.test({
  name: "typing is seen on the other machine, begins and ends",
  ignore,
  async fn() {
    await using chat = await meet(machines);
    const [a, b] = chat.guests;
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
