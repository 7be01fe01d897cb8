/** What the tests of shared presence share. */

import type { Signal } from "../../realtime/cluster/broker.ts";
import { SharedPresence } from "../../realtime/presence/shared_presence.ts";
import { createFakeClock } from "../helpers/clock.ts";
import { createBrokers } from "./fake_broker.ts";

type PresenceSignal = Signal & { kind: "presence" };

/** Processes that share who is online. */
export function createProcesses(count: number) {
  const clock = createFakeClock();
  const brokers = createBrokers(clock);

  function start(isUp = true) {
    const broker = brokers.join(isUp);
    const here = new Set<string>();
    const changes: string[] = [];
    const failures: unknown[] = [];
    const presence: SharedPresence = new SharedPresence({
      broker,
      isOnlineHere: (userId) => here.has(userId),
      onlineHere: () => here,
      onChange: (userId) =>
        changes.push(`${userId}${presence.isOnline(userId) ? "+" : "-"}`),
      clock: clock.now,
      timers: clock,
      fail: (error) => failures.push(error),
    });
    let isFrozen = false;
    broker.listen({
      received(signal) {
        if (isFrozen) return;
        switch (signal.kind) {
          case "presence":
            return presence.changedElsewhere(
              signal.from,
              signal.number,
              signal.changes,
            );
          case "alive":
            return presence.alive(signal.from, signal.number);
          case "hello":
            return presence.introduce();
          case "goodbye":
            return presence.gone(signal.from);
        }
      },
      up: () => void presence.brokerUp(),
      down: () => {},
    });
    void broker.subscribe("presence");
    return {
      broker,
      presence,
      failures,
      /** A user comes online or goes offline in this process. */
      set(userId: string, isOnline: boolean) {
        if (isOnline) here.add(userId);
        else here.delete(userId);
        presence.changedHere(userId, isOnline);
      },
      /** What has changed since the last look: `alice+`, `bob-`. */
      changed: () => changes.splice(0),
      sees: (...userIds: string[]) =>
        userIds.filter((userId) => presence.isOnline(userId)).join(" "),
      /** `kill -9`: it is neither heard nor hears any more. */
      die() {
        isFrozen = true;
        Object.assign(broker, { publish: () => Promise.resolve(0) });
        broker.goDown();
      },
    };
  }

  const processes = Array.from({ length: count }, () => start());
  return {
    clock,
    brokers,
    start,
    processes: processes as [
      ReturnType<typeof start>,
      ReturnType<typeof start>,
      ReturnType<typeof start>,
    ],
    /** Time passes, and each process looks for dead ones every second as it does. */
    async pass(ms: number) {
      for (let passed = 0; passed < ms; passed += 1_000) {
        await clock.advance(Math.min(1_000, ms - passed));
        for (const { presence } of processes) presence.sweep();
      }
    },
  };
}

export const isPresence = (signal: Signal): signal is PresenceSignal =>
  signal.kind === "presence";
