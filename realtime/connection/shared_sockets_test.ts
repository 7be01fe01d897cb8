import assert from "node:assert/strict";
import { createFakeClock } from "../../tests/helpers/clock.ts";
import {
  createBrokers,
  type FakeBroker,
} from "../../tests/realtime/fake_broker.ts";
import { numbers } from "../../tests/realtime/fakes.ts";
import { ConnectionRegistry } from "./registry.ts";
import { NOTE_TTL_MS, SharedSockets } from "./shared_sockets.ts";

const USER = "alice";

function createProcesses() {
  const clock = createFakeClock();
  const brokers = createBrokers(clock);
  const alive: FakeBroker[] = [];
  return {
    ...{ clock, alive },
    /** A process with the doors of one: `enter` gives a place, or undefined. */
    join() {
      const broker = brokers.join();
      alive.push(broker);
      const registry: ConnectionRegistry = new ConnectionRegistry({
        ...{ maxSocketsPerUser: 5, maxSocketsPerAddress: 100, broker },
        onReleased: (userId) => sockets.released(userId),
      });
      const sockets = new SharedSockets({
        shared: broker.shared,
        others: () =>
          alive.filter((other) => other !== broker)
            .map(({ processId }) => processId),
        countHere: (userId) => registry.placesOf(userId),
        maxSocketsPerUser: 5,
        timers: clock,
      });
      return {
        ...{ broker, sockets },
        async enter() {
          const place = registry.admit(USER, "1.1.1.1");
          if (place === undefined) return undefined;
          const hasPlace = sockets.hasPlace(USER);
          await clock.advance(1);
          if (await hasPlace) return place;
          place.release();
          return undefined;
        },
      };
    },
  };
}

Deno.test("a user's sockets are counted over all processes, and places that are given back are free in each", async () => {
  const { clock, join } = createProcesses();
  const [one, two] = [join(), join()];
  const places = [];
  for (const process of [one, two, one, two, one]) {
    places.push(await process.enter());
  }
  assert.ok(places.every((place) => place !== undefined));
  assert.equal(await one.enter(), undefined);
  assert.equal(await two.enter(), undefined);
  places[1]!.release();
  await clock.advance(1);
  assert.ok(await one.enter());
  assert.equal(await two.enter(), undefined, "who was refused takes no place");
});

Deno.test("of two that come to two processes for the last place at the same moment at most one gets in", async () => {
  const { join } = createProcesses();
  const [one, two] = [join(), join()];
  for (const _ of numbers(1, 4)) await one.enter();
  const entered = await Promise.all([one.enter(), two.enter()]);
  assert.ok(entered.filter((place) => place !== undefined).length <= 1);
});

Deno.test("while the others cannot be reached each process counts for itself, and tells them afterwards", async () => {
  const { clock, join } = createProcesses();
  const [one, two] = [join(), join()];
  one.broker.goDown();
  for (const _ of numbers(1, 5)) assert.ok(await one.enter());
  assert.equal(await one.enter(), undefined);
  assert.ok(await two.enter());
  one.broker.comeUp();
  const noted = one.sockets.noteAll();
  await clock.advance(1);
  await noted;
  assert.equal(await two.enter(), undefined);
});

Deno.test("a process that has ended counts no more, and notes are made anew before they fade", async () => {
  const { clock, alive, join } = createProcesses();
  const [one, two] = [join(), join()];
  for (const _ of numbers(1, 5)) await one.enter();
  assert.equal(await two.enter(), undefined);
  let notes = 0;
  const { noteSockets } = one.broker.shared;
  one.broker.shared.noteSockets = (...args) => {
    notes++;
    return noteSockets(...args);
  };
  await clock.advance(NOTE_TTL_MS);
  assert.ok(notes >= 2);
  alive.splice(alive.indexOf(one.broker), 1);
  assert.ok(await two.enter());
});
