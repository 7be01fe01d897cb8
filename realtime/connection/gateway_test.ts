import assert from "node:assert/strict";
import { loadConfig } from "../../config.ts";
import { recordingLog } from "../../tests/helpers/log.ts";
import { createHub, createUser } from "../../tests/realtime/fakes.ts";
import { memoryBroker } from "../cluster/memory_broker.ts";
import { createMetrics } from "../metrics.ts";
import type { Parts } from "../parts.ts";
import { closeTokensBefore, usersWithoutSession } from "./close_sessions.ts";
import { createGateway } from "./gateway.ts";

Deno.test("closeTokensBefore() closes a user's older tokens that belong to no session, and nothing else", () => {
  const { hub, connections, clock } = createHub();
  const nothing = () => {};
  const presence = { touch: nothing, disconnected: nothing };
  const typing = { clearConnection: nothing };
  const gateway = createGateway({
    config: loadConfig({}),
    parts: {
      ...{ connections, hub, presence, typing, dispatch: {} },
    } as unknown as Parts,
    log: recordingLog(),
    ...{ steadyClock: clock.now, timers: clock },
    broker: memoryBroker(),
    metrics: createMetrics(clock.now),
    isDraining: () => false,
  });
  const [alice, bob] = [createUser("alice"), createUser("bob")];
  const open = (user = alice, issuedAt = 0, sessionId?: string) => {
    const known = new Set(connections.all());
    gateway.openStream(
      { release: nothing },
      { user, sessionId, issuedAt, expiresAt: Infinity },
    );
    return [...connections.all()].find((each) => !known.has(each))!;
  };
  assert.deepEqual([...usersWithoutSession(connections)], []);
  const withSession = open(alice, 999, "a session");
  assert.deepEqual([...usersWithoutSession(connections)], []);
  const [older, newer] = [open(alice, 999), open(alice, 1_000)];
  const another = open(bob, 999);
  const users = [...usersWithoutSession(connections)];
  assert.deepEqual(users, [alice.id, bob.id]);
  closeTokensBefore(connections, alice.id, new Date(1_000));
  assert.deepEqual(
    [withSession, older, newer, another].map(({ closed }) => closed),
    [false, true, false, false],
  );
});

Deno.test("a verdict that cannot be had tells the client to come back, and its place is free", async () => {
  const { hub, connections, clock } = createHub();
  const log = recordingLog();
  const gateway = createGateway({
    config: loadConfig({}),
    parts: { connections, hub } as unknown as Parts,
    log,
    ...{ steadyClock: clock.now, timers: clock },
    broker: memoryBroker(),
    metrics: createMetrics(clock.now),
    isDraining: () => false,
  });
  const closes: number[] = [];
  const socket = Object.assign(new EventTarget(), {
    readyState: WebSocket.OPEN,
    close: (code: number) => closes.push(code),
  }) as unknown as WebSocket;
  let places = 0;
  gateway.openSocket(
    { release: () => places++ },
    socket,
    Promise.reject(new Error("the database is away")),
  );
  socket.onopen!(new Event("open"));
  await clock.advance(200);
  assert.deepEqual([closes, places], [[1012], 1]);
  assert.match(log.lines[0]!, /could not be let in.*the database is away/);
});

Deno.test("a stream that opens while the process stops is told to come back, and its place is free", async () => {
  const { hub, connections, clock } = createHub();
  const nothing = () => {};
  const gateway = createGateway({
    config: loadConfig({}),
    parts: {
      connections,
      hub,
      presence: { touch: nothing, disconnected: nothing },
      typing: { clearConnection: nothing },
      dispatch: {},
    } as unknown as Parts,
    log: recordingLog(),
    ...{ steadyClock: clock.now, timers: clock },
    broker: memoryBroker(),
    metrics: createMetrics(clock.now),
    isDraining: () => true,
  });
  let released = 0;
  const body = gateway.openStream(
    { release: () => released++ },
    { user: createUser("alice"), issuedAt: 0, expiresAt: Infinity },
  );
  const text = await new Response(body).text();
  assert.match(text, /"event":"close","data":\{"code":1012/);
  assert.equal(released, 1);
  assert.equal(connections.size, 0);
});
