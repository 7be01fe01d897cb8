/** The OpenAPI document, held against the running app: every example and every problem in it. */

import assert from "node:assert/strict";
import { EXAMPLE } from "../../routes/docs/examples.ts";
import { type ProblemCode, PROBLEMS } from "../../routes/problems.ts";
import type { TestApp } from "../helpers/app.ts";
import { connect } from "../helpers/client.ts";
import {
  createRoom,
  expectJson,
  type Person,
  postJson,
  signIn,
} from "../helpers/people.ts";
import { HOST, startExampleApp } from "./example_world.ts";
import {
  type Answer,
  type Ask,
  carried,
  openStream,
  type Operation,
  readOperations,
  send,
  upgradeHeaders,
  visit,
  type Visitor,
} from "./openapi_operations.ts";

/** They end what the others need, and so come last. */
const ENDINGS = [
  "DELETE /api/rooms/{id}/messages/{messageId}",
  "POST /api/auth/logout-everywhere",
  "POST /api/rooms/{id}/leave",
  "DELETE /api/account",
];

/** Problems that are met where there is a setting for them. */
const ELSEWHERE: { readonly [C in ProblemCode]?: string } = {
  unavailable: "tests/faults/postgres_database_away_test.ts",
  internal: "routes/errors_test.ts",
  ...Object.fromEntries(
    [
      ...["forbidden", "message_deleted", "edit_conflict"],
      ...["reaction_limit", "pin_limit", "muted"],
    ].map((code) => [code, "tests/http/message_calls_test.ts"]),
  ),
};

/** One byte more than any body may have. */
const TOO_LARGE = JSON.stringify("x".repeat(64 * 1024));

/** More attempts to sign in than one address has. */
const TOO_MANY = 301;

Deno.test("every example of the OpenAPI document is answered with success, as documented", async () => {
  await using app = await startExampleApp();
  const operations = await readOperations(app);
  const rank = ({ name }: Operation) => ENDINGS.indexOf(name);
  let visitor: Visitor | undefined;
  for (const operation of operations.toSorted((a, b) => rank(a) - rank(b))) {
    // Some end the session they come with; there are too few codes for one each.
    if (visitor === undefined || operation.name.includes("/api/auth/")) {
      visitor = await visit(app, EXAMPLE.user.username);
    }
    for (const ask of operation.asks) {
      const answer = await sendLive(app, ask, visitor);
      const what = `${operation.name} ${JSON.stringify(ask.query)} ${ask.body}`;
      assert.deepEqual(
        { faults: operation.check(answer), isWell: answer.status < 300 },
        { faults: [], isWell: true },
        `${what}: ${answer.status} ${answer.text}`,
      );
    }
    if (operation.name.includes("/api/auth/")) visitor = undefined;
  }
});

/** Sends an example, with what only an answer before it can tell in place of what stands for that. */
async function sendLive(
  app: TestApp,
  ask: Ask,
  visitor: Visitor,
): Promise<Answer> {
  const known = carried(ask, visitor);
  if (ask.operation === "POST /api/events") {
    using stream = await openStream(app, visitor);
    const connection: string = stream.hello.data.connectionId;
    assert.ok("connection" in ask.query);
    return await send(app, { ...known, query: { connection } });
  }
  if (ask.operation === "POST /api/auth/verify-code") {
    const { username } = EXAMPLE.user;
    const asked = await postJson(app, "/api/auth/request-code", { username });
    const { code } = await expectJson<{ code: string }>(asked, 200);
    const body = ask.body!.replace(EXAMPLE.loginCode, code);
    return await send(app, { ...known, body });
  }
  return await send(app, known);
}

Deno.test("whatever is wrong with a request is answered as documented, and every documented problem is met", async () => {
  await using app = await startExampleApp();
  const operations = await readOperations(app);
  const met = new Set<string>();
  const faults: string[] = [];
  const note = (operation: Operation, ask: Ask, answer: Answer) => {
    for (const fault of operation.check(answer)) {
      faults.push(
        `${operation.name} ${
          Object.keys(ask.headers)
        }: ${fault}: ${answer.text}`,
      );
    }
    if (answer.type !== "application/problem+json") return;
    met.add(
      `${operation.name} ${answer.status} ${JSON.parse(answer.text).code}`,
    );
  };

  const host = await signIn(app, HOST.username);
  const member = await visit(app, EXAMPLE.user.username);
  for (const operation of operations) {
    for (const wrong of await wrongAsks(app, operation, host, member)) {
      note(operation, wrong, await send(app, wrong));
    }
  }
  await meetLimits(note);

  assert.deepEqual([...new Set(faults)], []);
  const missing = operations.flatMap(({ name, problems }) =>
    problems.filter((problem) => {
      const [, code = ""] = problem.split(" ");
      return !met.has(`${name} ${problem}`) && !(code in ELSEWHERE);
    }).map((problem) => `${name} ${problem}`)
  );
  assert.deepEqual(missing, [], "documented, but never met");
});

/** Requests of which each is wrong in one way. A way that does not matter to the operation is harmless. */
async function wrongAsks(
  app: TestApp,
  { name, asks }: Operation,
  host: Person,
  member: Visitor,
) {
  const ask = asks[0]!;
  const made = await host.fetch("/api/rooms", {
    method: "POST",
    json: { name: `Room ${crypto.randomUUID()}`.slice(0, 40) },
  });
  const foreignRoom = await expectJson<{ id: string }>(made, 201);
  const taken = { name: EXAMPLE.roomName };

  const wrong: Ask[] = [];
  const visitor = await visitAnew(app);
  // Some of what is wrong elsewhere is right here, and ends the session it comes with.
  const ends = /logout|refresh|leave|^DELETE/.test(name);
  const add = async (change: Partial<Ask>, base = ask) => {
    const known = carried(base, ends ? await visitAnew(app) : visitor);
    const headers = { ...known.headers, ...change.headers };
    wrong.push({ ...known, ...change, headers });
  };
  wrong.push(ask);
  const upgrade = name === "GET /ws" ? upgradeHeaders : {};
  wrong.push({ ...ask, headers: { ...ask.headers, ...upgrade } });
  wrong.push({
    ...ask,
    headers: {
      ...{ ...ask.headers, ...upgrade },
      ...{ cookie: visitor.cookies, origin: "https://evil.example" },
    },
  });
  await add({ headers: { "sec-websocket-protocol": "other.v1" } });
  await add({ headers: { upgrade: "h2c" } });
  await add({ headers: { "x-chatket-user": host.user.id } });
  if (name.startsWith("GET /ws")) {
    wrong.push({
      ...ask,
      headers: {
        ...upgrade,
        authorization: `Bearer ${host.token}`,
        "sec-websocket-protocol": "other.v1",
      },
    });
  }
  if (!name.startsWith("GET")) {
    const json = { "content-type": "application/json" };
    const plain = { "content-type": "text/plain" };
    await add({ headers: json, body: TOO_LARGE });
    await add({ headers: plain, body: "{}" });
    for (const body of ["", "{", "{}", "[]", JSON.stringify(taken)]) {
      await add({ headers: json, body });
    }
  }
  await add({});
  for (const id of [crypto.randomUUID(), "nonsense", foreignRoom.id]) {
    if ("id" in ask.parameters) {
      await add({ parameters: { ...ask.parameters, id } });
    }
  }
  const { parameters } = ask;
  for (const messageId of [crypto.randomUUID(), "nonsense"]) {
    if (!("messageId" in parameters)) break;
    wrong.push(
      carried({ ...ask, parameters: { ...parameters, messageId } }, member),
    );
  }
  if ("emoji" in parameters) {
    wrong.push(
      carried({ ...ask, parameters: { ...parameters, emoji: "no" } }, member),
    );
  }
  for (const each of asks) {
    for (const key of Object.keys(each.query)) {
      for (const value of ["", "0", "nonsense", crypto.randomUUID()]) {
        await add({ query: { [key]: value } }, each);
        // With the session of a member: what is asked of the room is looked at.
        wrong.push(carried({ ...each, query: { [key]: value } }, member));
      }
    }
    await add({ query: {} }, each);
  }
  return wrong;
}

/** As somebody who was never here. */
function visitAnew(app: TestApp): Promise<Visitor> {
  return visit(app, `user_${crypto.randomUUID().slice(0, 8)}`);
}

/** Meets the limits on attempts and on sockets, each in an app of its own. */
async function meetLimits(
  note: (operation: Operation, ask: Ask, answer: Answer) => void,
): Promise<void> {
  await using strict = await startExampleApp({ AUTH_RATE_LIMIT: "on" });
  const visitor = await visit(strict, EXAMPLE.user.username);
  for (let n = 0; n < TOO_MANY; n++) {
    await (await postJson(strict, "/api/auth/refresh", {})).body?.cancel();
  }
  await using small = await startExampleApp({
    MAX_SOCKETS_PER_USER: "1",
    REST_LIMIT_PER_MINUTE: "1",
  });
  const person = await signIn(small, EXAMPLE.user.username);
  await using _held = await connect(small, person);
  await person.getJson("/api/auth/me");
  const second = await visit(small, EXAMPLE.user.username);
  await using full = await startExampleApp({ MAX_MEMBERSHIPS_PER_USER: "1" });
  const guest = await signIn(full, "guest");
  await createRoom(guest);
  const inOneRoom = await visit(full, "guest");
  for (const operation of await readOperations(strict)) {
    const { name } = operation;
    const ask = operation.asks[0]!;
    if (name.startsWith("POST /api/auth/")) {
      const known = carried(ask, visitor);
      note(operation, known, await send(strict, known));
    } else if (operation.problems.includes("429 too_many_requests")) {
      const known = carried(ask, second);
      note(operation, known, await send(small, known));
    }
    if (name === "POST /api/rooms" || name === "POST /api/rooms/{id}/join") {
      const known = carried(ask, inOneRoom);
      note(operation, known, await send(full, known));
    }
  }
}

Deno.test("what a problem's setting is elsewhere is there", async () => {
  for (const [code, path] of Object.entries(ELSEWHERE)) {
    assert.ok(code in PROBLEMS);
    await Deno.stat(new URL(`../../${path}`, import.meta.url));
  }
});
