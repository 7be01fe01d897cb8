/** `/metrics` and what the log says, of the running app. */

import assert from "node:assert/strict";
import { startTestApp, useTestApp } from "../helpers/app.ts";
import { connect, type TestClient } from "../helpers/client.ts";
import { engineUnderTest } from "../helpers/database.ts";
import {
  createRoom,
  joinRoom,
  type Person,
  signIn,
} from "../helpers/people.ts";
import { until } from "../helpers/rooms.ts";
import { expectProblem } from "./expect_problem.ts";

const TOKEN = "metrics-token-of-the-tests";
const app = useTestApp({ METRICS_TOKEN: TOKEN });

async function scrape(): Promise<string> {
  const answer = await fetch(`${app.origin}/metrics`, {
    headers: { authorization: `Bearer ${TOKEN}` },
  });
  const text = await answer.text();
  assert.equal(answer.status, 200, text);
  assert.match(answer.headers.get("content-type") ?? "", /^text\/plain/);
  return text;
}

/** The value of a series as it stands in the text; 0 when it is not there. */
function valueOf(text: string, series: string): number {
  const line = text.split("\n").find((each) => each.startsWith(`${series} `));
  return Number(line?.slice(series.length + 1) ?? 0);
}

async function talk(client: TestClient, roomId: string, text: string) {
  const clientMsgId = crypto.randomUUID();
  await client.expect("message:send", { roomId, text, clientMsgId });
}

async function pair(): Promise<[Person, Person, string]> {
  const alice = await signIn(app, "alice");
  const bob = await signIn(app, "bob");
  const room = await createRoom(alice);
  await joinRoom(bob, room.id);
  return [alice, bob, room.id];
}

Deno.test("/metrics counts connections, messages, deliveries, acks, refusals and recoveries", async () => {
  const [alice, bob, roomId] = await pair();
  const before = await scrape();
  await using first = await connect(app, alice);
  await using second = await connect(app, bob);
  for (const client of [first, second]) {
    await client.expect("room:join", { roomId, lastSeq: 0 });
  }
  for (const text of ["one", "two", "three"]) await talk(first, roomId, text);
  await second.waitFor("message:new", ({ seq }) => seq === 3);
  const empty = await first.request("message:send", {
    roomId,
    text: " ",
    clientMsgId: crypto.randomUUID(),
  });
  assert.equal(empty.success, false);

  const after = await scrape();
  const grown = (series: string) =>
    valueOf(after, series) - valueOf(before, series);
  assert.equal(grown("chatket_connections"), 2);
  assert.equal(grown("chatket_rooms"), 1);
  assert.equal(grown("chatket_connections_opened_total"), 2);
  assert.equal(grown("chatket_messages_total"), 3);
  assert.equal(grown("chatket_deliveries_total"), 6);
  assert.equal(grown("chatket_acks_total"), 5);
  assert.equal(grown('chatket_refusals_total{code="bad_request"}'), 1);
  assert.equal(grown("chatket_recoveries_total"), 2);
  assert.equal(grown("chatket_write_batch_messages_sum"), 3);
  assert.equal(grown("chatket_write_seconds_count"), 3);
  assert.ok(grown("chatket_delivery_seconds_count") >= 1);
  assert.ok(valueOf(after, "chatket_delivery_seconds_sum") < 3);
  const pool = valueOf(after, 'chatket_database_connections{state="total"}');
  assert.equal(pool > 0, engineUnderTest() === "postgres");
});

Deno.test("/metrics tells why connections ended", async () => {
  const { token } = await signIn(app, "carol");
  const before = await scrape();
  const client = await connect(app, { token });
  client.sendRaw(new Uint8Array([1]));
  assert.equal((await client.closed).code, 1003);
  const gone = await connect(app, { token });
  await gone.close();
  let after = before;
  await until("the app knows of it", async () => {
    after = await scrape();
    return valueOf(after, "chatket_connections") === 0;
  });
  const grown = (code: string) =>
    valueOf(after, `chatket_closes_total{code="${code}"}`) -
    valueOf(before, `chatket_closes_total{code="${code}"}`);
  assert.equal(grown("1003"), 1);
  assert.equal(grown("lost"), 1);
});

Deno.test("/metrics is not there without the token, with a wrong one, and where none is set", async () => {
  const get = (authorization?: string) =>
    fetch(`${app.origin}/metrics`, {
      headers: authorization === undefined ? {} : { authorization },
    });
  const unknown = await expectProblem(
    await fetch(`${app.origin}/nowhere`),
    "not_found",
  );
  for (const header of [undefined, "Bearer wrong", `Basic ${TOKEN}`, TOKEN]) {
    assert.deepEqual(
      await expectProblem(await get(header), "not_found"),
      unknown,
    );
  }
  await using other = await startTestApp();
  await expectProblem(
    await fetch(`${other.origin}/metrics`, {
      headers: { authorization: "Bearer " },
    }),
    "not_found",
  );
});

Deno.test("every metric that the dashboard shows exists", async () => {
  const text = await scrape();
  const names = new Set(
    [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].flatMap(([, name, type]) =>
      type === "histogram"
        ? [`${name}_bucket`, `${name}_sum`, `${name}_count`]
        : [name!]
    ),
  );
  const dashboard = JSON.parse(
    await Deno.readTextFile(
      new URL("../../docs/grafana.json", import.meta.url),
    ),
  );
  const shown = new Set<string>();
  for (const panel of dashboard.panels) {
    assert.ok(panel.targets.length > 0, panel.title);
    for (const { expr } of panel.targets) {
      for (const [name] of expr.matchAll(/\b(chatket|process)_\w+/g)) {
        shown.add(name);
        // Only with Redis.
        if (name === "chatket_backbone_up") continue;
        assert.ok(names.has(name), `${panel.title}: ${name}`);
      }
    }
  }
  assert.ok(shown.size > 10);
});

Deno.test("a request's id is in its answer and in the log, where no secret and no text of a message is", async () => {
  const lines: string[] = [];
  await using logged = await startTestApp({
    LOG_LEVEL: "debug",
    METRICS_TOKEN: TOKEN,
    CHATKET_ENV: "production",
    ALLOW_INSECURE_CODES: "yes",
    JWT_SECRET: "jwt-secret-of-the-tests-0123456789",
    AUTH_RATE_LIMIT: "on",
  }, { start: { writeLog: (line) => lines.push(line) } });
  const alice = await signIn(logged, "alice");
  const room = await createRoom(alice);
  const client = await connect(logged, alice);
  await client.expect("room:join", { roomId: room.id, lastSeq: 0 });
  await talk(client, room.id, "words for nobody else");
  await client.close();
  const answer = await alice.fetch(`/api/rooms/${room.id}`);
  await answer.body?.cancel();
  const scraped = await fetch(`${logged.origin}/metrics`, {
    headers: { authorization: `Bearer ${TOKEN}` },
  });
  await scraped.body?.cancel();
  await logged.stop();

  const entries = lines.map((line) => JSON.parse(line));
  const requestId = answer.headers.get("x-request-id");
  const request = entries.find((entry) => entry.requestId === requestId);
  assert.equal(request?.path, `/api/rooms/${room.id}`);
  const opened = entries.find(({ message }) => message === "connection opened");
  const closed = entries.find(({ message }) => message === "connection closed");
  assert.equal(opened?.userId, alice.user.id);
  assert.equal(opened?.connectionId, closed?.connectionId);

  const log = lines.join("\n");
  const secrets = [
    alice.token,
    TOKEN,
    "jwt-secret-of-the-tests",
    "words for nobody else",
  ];
  for (const secret of secrets) assert.ok(!log.includes(secret), secret);
});
