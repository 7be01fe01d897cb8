import assert from "node:assert/strict";
import { createFakeClock } from "../../tests/helpers/clock.ts";
import { createBrokers } from "../../tests/realtime/fake_broker.ts";
import { createGate } from "../../tests/realtime/fakes.ts";
import type { FrameResult } from "../cluster/broker.ts";
import { memoryBroker } from "../cluster/memory_broker.ts";
import { newConnectionId, newProcessId } from "../cluster/process_id.ts";
import { Forwarding } from "./forwarding.ts";

/** Processes that bring each other frames; each handles one when the test says so. */
function createProcesses(count: number) {
  const clock = createFakeClock();
  const brokers = createBrokers(clock);
  const processes = Array.from({ length: count }, () => {
    const broker = brokers.join();
    const handled = createGate<[string, string, string], FrameResult>();
    const forwarding = new Forwarding({
      ...{ broker, handle: handled.call, timers: clock },
    });
    broker.listen({
      received(signal) {
        if (signal.kind === "frame") void forwarding.received(signal.frame);
        if (signal.kind === "frame_answer") {
          forwarding.answered(signal.id, signal.result);
        }
      },
      up: () => {},
      down: () => {},
    });
    return {
      ...{ broker, handled, forwarding },
      /** A stream of this process. */
      stream: newConnectionId(broker.processId),
    };
  });
  type Process = typeof processes[number];
  return {
    ...{ clock, brokers },
    processes: processes as [Process, Process, Process],
  };
}

Deno.test("post() has a frame handled where its stream is, and gives the answer from there", async () => {
  const { clock, processes: [a, b, c] } = createProcesses(3);
  await clock.advance(10);
  for (const result of [{ answer: "ack" }, {}, "not_found"] as FrameResult[]) {
    const posted = a.forwarding.post(b.stream, "alice", "{}");
    await clock.advance(10);
    const { args, resolve } = b.handled.next();
    assert.deepEqual(args, [b.stream, "alice", "{}"]);
    resolve(result);
    await clock.advance(10);
    assert.deepEqual(await posted, result);
  }
  assert.equal(a.handled.calls.length + c.handled.calls.length, 0);
  assert.equal(clock.waiting, 0, "nothing is remembered");
});

Deno.test("post() keeps apart what waits at the same moment", async () => {
  const { clock, processes: [a, b] } = createProcesses(2);
  await clock.advance(10);
  const posted = ["one", "two"].map((text) =>
    a.forwarding.post(b.stream, "alice", text)
  );
  await clock.advance(10);
  const [one, two] = [b.handled.next(), b.handled.next()];
  two.resolve({ answer: two.args[2] });
  one.resolve({ answer: one.args[2] });
  await clock.advance(10);
  assert.deepEqual(await Promise.all(posted), [
    { answer: "one" },
    { answer: "two" },
  ]);
});

Deno.test("post() for a stream of this process asks nobody, also while the broker is away", async () => {
  const { processes: [a] } = createProcesses(2);
  a.broker.goDown();
  const posted = a.forwarding.post(a.stream, "alice", "{}");
  a.handled.next().resolve({ answer: "ack" });
  assert.deepEqual(await posted, { answer: "ack" });
  assert.deepEqual(a.broker.told, []);
});

Deno.test("post() in the only process there is handles whatever comes", async () => {
  const handled = createGate<[string, string, string], FrameResult>();
  const clock = createFakeClock();
  const broker = memoryBroker();
  const forwarding = new Forwarding({
    ...{ broker, handle: handled.call, timers: clock },
  });
  const posted = forwarding.post("of an earlier process", "alice", "{}");
  handled.next().resolve("not_found");
  assert.equal(await posted, "not_found");
});

Deno.test("post() finds no stream of a process that is gone, or of none", async () => {
  const { clock, processes: [a] } = createProcesses(2);
  await clock.advance(10);
  for (const id of [newConnectionId(newProcessId()), "", "x", "%00*[^\n"]) {
    const posted = a.forwarding.post(id, "alice", "{}");
    await clock.advance(10);
    assert.equal(await posted, "not_found");
  }
  assert.equal(clock.waiting, 0);
});

Deno.test("post() says unavailable while the broker is away, and when it goes away on the way", async () => {
  const { clock, processes: [a, b] } = createProcesses(2);
  await clock.advance(10);
  const posted = a.forwarding.post(b.stream, "alice", "{}");
  // Nobody can be said to have heard it.
  a.broker.goDown();
  a.broker.publish = () => Promise.resolve(0);
  assert.equal(await a.forwarding.post(b.stream, "alice", "{}"), "unavailable");
  await clock.advance(10_000);
  assert.equal(await posted, "unavailable");
});

Deno.test("post() whose publish fails because the broker goes away is unavailable, not unknown", async () => {
  const { clock, processes: [a, b] } = createProcesses(2);
  await clock.advance(10);
  a.broker.publish = () => {
    a.broker.goDown();
    return Promise.resolve(0);
  };
  assert.equal(await a.forwarding.post(b.stream, "alice", "{}"), "unavailable");
});

Deno.test("post() gives up after 10 s, and an answer that comes then is ignored", async () => {
  const { clock, processes: [a, b] } = createProcesses(2);
  await clock.advance(10);
  const posted = a.forwarding.post(b.stream, "alice", "{}");
  await clock.advance(9_990);
  let result: unknown;
  void posted.then((its) => result = its);
  await clock.advance(9);
  assert.equal(result, undefined);
  await clock.advance(1);
  assert.equal(result, "unavailable");
  b.handled.next().resolve({ answer: "late" });
  await clock.advance(10);
  assert.equal(clock.waiting, 0);
});

Deno.test("an answer that is told twice, or to nobody's question, changes nothing", async () => {
  const { clock, processes: [a, b] } = createProcesses(2);
  await clock.advance(10);
  const posted = a.forwarding.post(b.stream, "alice", "{}");
  await clock.advance(10);
  const [{ signal }] = a.broker.told as [typeof a.broker.told[0]];
  assert.equal(signal.kind, "frame");
  if (signal.kind !== "frame") return;
  a.forwarding.answered(crypto.randomUUID(), { answer: "foreign" });
  a.forwarding.answered(signal.frame.id, { answer: "first" });
  a.forwarding.answered(signal.frame.id, { answer: "second" });
  assert.deepEqual(await posted, { answer: "first" });
});

Deno.test("newConnectionId() is a UUID that names its process", () => {
  const processId = newProcessId();
  assert.match(processId, /^[0-9a-f]{12}$/);
  const id = newConnectionId(processId);
  assert.match(id, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  assert.ok(id.endsWith(processId));
  assert.notEqual(id, newConnectionId(processId));
});
