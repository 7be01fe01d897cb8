/** A machine that dies without a word: a real process, because only one of those can be killed. */

import assert from "node:assert/strict";
import { BrowserClient } from "../../faults/browser_client.ts";
import { History } from "../../faults/history.ts";
import { Random } from "../../faults/random.ts";
import { connect } from "../../helpers/client.ts";
import { joinRoom } from "../../helpers/people.ts";
import { numbers } from "../fakes.ts";
import { startServer } from "../server_process.ts";
import {
  createSharedRoom,
  forgetPast,
  newPerson,
  say,
  until,
} from "../../helpers/rooms.ts";
import { expectTook, stopwatch } from "../../helpers/timing.ts";
import { missing, startMachines, statusOf } from "./machines.ts";

/** The users of a dead machine are offline everywhere within this time, in milliseconds. */
const OFFLINE_LIMIT_MS = 30_000;

/** A browser is live on another machine, and complete, within this time; in milliseconds. */
const COME_BACK_LIMIT_MS = 6_000;

Deno.test({
  name:
    "a machine killed with SIGKILL: its users are offline elsewhere within 30 s, a browser on it is live on another within 6 s and misses nothing",
  ignore: missing !== undefined,
  async fn() {
    await using machines = await startMachines(2, {
      RATE_LIMIT_MESSAGES: "1000",
    });
    const [here] = machines.all;
    await using doomed = await startServer(machines.place, machines.env);
    await using chat = await createSharedRoom(machines.all);
    const { id: roomId } = chat.room;
    const [{ socket, person: watcher }] = chat.members;

    const [lost, saved] = [await newPerson(here), await newPerson(here)];
    for (const person of [lost, saved]) await joinRoom(person, roomId);
    const silent = await connect(doomed, lost);
    await silent.expect("room:join", { roomId });
    let port = doomed.port;
    const browser = await BrowserClient.create({
      ...{ name: "browser", person: saved, roomIds: [roomId], pace: 1 },
      ...{ history: new History(), random: new Random(1), thinkMs: 1_000 },
      serverPort: () => port,
    });
    try {
      await browser.load();
      await until("the browser is live", () => browser.isSettled);
      await socket.waitFor(
        "room:roster",
        ({ onlineCount }) => onlineCount === 4,
      );
      await say(socket, roomId);
      await until("it has arrived", () => browser.position(roomId) === 1);
      await forgetPast(here, [socket]);

      const sinceKill = stopwatch();
      doomed.signal("SIGKILL");
      port = here.port;
      for (const _ of numbers(2, 10)) await say(socket, roomId);
      await until(
        "the browser is live elsewhere and complete",
        () => browser.isSettled && browser.position(roomId) === 10,
        5 * COME_BACK_LIMIT_MS,
      );
      expectTook("coming back", sinceKill(), COME_BACK_LIMIT_MS);
      assert.deepEqual(
        browser.views().flatMap(({ messages }) =>
          messages.map(({ seq }) => seq)
        ),
        numbers(1, 10),
      );

      await socket.waitFor(
        "room:roster",
        ({ users }) =>
          users.some(({ id, status }) =>
            id === lost.user.id && status === "offline"
          ),
        OFFLINE_LIMIT_MS,
      );
      for (const machine of machines.all) {
        const seen = (person: typeof lost) =>
          statusOf(machine, watcher, roomId, person);
        await until(
          "it is offline on every machine",
          async () => await seen(lost) === "offline",
        );
        assert.equal(await seen(saved), "online");
      }
    } finally {
      await browser.close();
    }
  },
});
