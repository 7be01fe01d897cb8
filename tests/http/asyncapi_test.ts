/** The AsyncAPI document, held against the running app: every example, every event, every ack. */

import { Parser } from "@asyncapi/parser";
import assert from "node:assert/strict";
import type { RefusalCode } from "../../realtime/protocol/protocol.ts";
import { asyncApiDocument } from "../../routes/docs/asyncapi.ts";
import { EXAMPLE } from "../../routes/docs/examples.ts";
import type { TestApp } from "../helpers/app.ts";
import { connect, type TestClient } from "../helpers/client.ts";
import {
  createRoom,
  expectJson,
  type Person,
  signIn,
} from "../helpers/people.ts";
import { say, until } from "../helpers/rooms.ts";
import {
  type Check,
  documentChecker,
  type JsonObject,
} from "./document_check.ts";
import { HOST, startExampleApp } from "./example_world.ts";

/** Refusals that need a database that is away, a fault in the program, or many changes before. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  unavailable: "tests/faults/postgres_database_away_test.ts",
  internal: "realtime/connection/dispatch_test.ts",
  forbidden: "tests/realtime/changes_test.ts",
  reaction_limit: "tests/realtime/changes_test.ts",
  too_many_requests: "tests/realtime/changes_test.ts",
  pin_limit: "realtime/changes/decide_changes_test.ts",
};

/** The parser's diagnostics are errors (0), warnings (1), and hints. */
const WARNING = 1;

interface MessageDocs {
  readonly payload: {
    readonly properties: {
      readonly event?: { readonly const: string };
      readonly data?: {
        readonly properties: Record<string, { readonly enum: string[] }>;
      };
    };
  };
  readonly examples?: readonly { readonly payload: JsonObject }[];
}

interface OperationDocs {
  readonly action: "send" | "receive";
  readonly messages: readonly { readonly $ref: string }[];
  readonly reply?: { readonly messages: readonly { readonly $ref: string }[] };
}

/** The document as the tests need it. */
interface Protocol {
  /** The example of each client event, and how its ack is checked. */
  readonly clientEvents: ReadonlyMap<
    string,
    { readonly examples: readonly JsonObject[]; readonly checkAck: Check }
  >;
  /** How each server event is checked. */
  readonly serverEvents: ReadonlyMap<string, Check>;
  /** Of refused events. */
  readonly codes: readonly string[];
  /** Faults of a frame's envelopes; notes the events and refusals it has seen. */
  checkFrame(frame: string): string[];
  readonly seen: Set<string>;
}

async function readProtocol(app: TestApp): Promise<Protocol> {
  const answer = await fetch(`${app.origin}/docs/asyncapi.json`);
  const document = await expectJson<{
    components: { messages: Record<string, MessageDocs> };
    operations: Record<string, OperationDocs>;
  }>(answer, 200);
  const checker = documentChecker(document as unknown as JsonObject);
  const { messages } = document.components;
  const check = (key: string) =>
    checker("components", "messages", key, "payload");
  for (const [key, { examples = [] }] of Object.entries(messages)) {
    assert.ok(examples.length > 0, `${key} has no example`);
    for (const { payload } of examples) {
      assert.deepEqual(check(key)(payload), [], `the example of ${key}`);
    }
  }

  const keyOf = ({ $ref }: { $ref: string }) => $ref.split("/").at(-1)!;
  const eventOf = (key: string) =>
    messages[key]?.payload.properties.event?.const;
  const clientEvents = new Map<
    string,
    { examples: JsonObject[]; checkAck: Check }
  >();
  const serverEvents = new Map<string, Check>();
  for (const { action, ...operation } of Object.values(document.operations)) {
    for (const key of operation.messages.map(keyOf)) {
      const event = eventOf(key);
      if (event === undefined) continue;
      if (action === "send") {
        serverEvents.set(event, check(key));
        continue;
      }
      const [reply] = operation.reply?.messages ?? assert.fail(key);
      clientEvents.set(event, {
        examples: messages[key]!.examples!.map(({ payload }) => payload),
        checkAck: check(keyOf(reply!)),
      });
    }
  }
  const seen = new Set<string>();
  return {
    ...{ clientEvents, serverEvents, seen },
    codes: messages["server.error"]!.payload.properties.data!.properties.code!
      .enum,
    checkFrame: (frame) =>
      [JSON.parse(frame)].flat().flatMap((envelope) => {
        if ("ack" in envelope) return [];
        seen.add(envelope.event);
        const { type } = envelope.data;
        if (type !== undefined) seen.add(`${envelope.event} ${type}`);
        return serverEvents.get(envelope.event)?.(envelope) ??
          [`${envelope.event} is not documented`];
      }),
  };
}

/** Everything of the protocol is tried by the same few people, one thing after the other. */
Deno.test("every example of the AsyncAPI document is acked with success, and every event and ack is as documented", async () => {
  await using app = await startExampleApp();
  const protocol = await readProtocol(app);
  const alice = await signIn(app, EXAMPLE.user.username);
  const host = await signIn(app, HOST.username);
  await using watcher = await connect(app, host);
  await watcher.expect("room:join", { roomId: EXAMPLE.roomId });
  await using other = await connect(app, alice);

  for (const [event, { examples, checkAck }] of protocol.clientEvents) {
    for (const example of examples) {
      await using socket = await connect(app, alice);
      // What an example speaks of has happened before: the client is subscribed to the room.
      if (!event.endsWith(":join")) {
        await socket.expect("rooms:sync", {
          rooms: [{ roomId: EXAMPLE.roomId }],
        });
      }
      const ack = await socket.request(
        example.event as "presence:ping",
        example.data as JsonObject,
      );
      const faults = checkAck({ ack: 1, data: ack });
      assert.deepEqual(faults, [], `${event}: ${JSON.stringify(ack)}`);
      assert.equal(ack.success, true, `${event}: ${JSON.stringify(ack)}`);
      checkAll(protocol, socket);
    }
  }
  await until(
    "the reading position is told",
    () => other.all("room:read").length > 0,
  );
  checkAll(protocol, other);

  await meetRefusals(app, protocol, alice, host);
  await watchStream(protocol, alice);
  checkAll(protocol, watcher);

  const expected = [
    ...protocol.serverEvents.keys(),
    ...["join", "leave", "muted"].map((type) => `room:system ${type}`),
  ];
  assert.deepEqual([...protocol.seen].sort(), expected.sort());
});

function checkAll({ checkFrame }: Protocol, { frames }: TestClient): void {
  for (const frame of frames) assert.deepEqual(checkFrame(frame), [], frame);
}

/** Every code with which an event may be refused, in an ack and as an `error` event. */
async function meetRefusals(
  app: TestApp,
  protocol: Protocol,
  alice: Person,
  host: Person,
): Promise<void> {
  const { id: foreign } = await createRoom(host);
  const { id: busy } = await createRoom(alice);
  await using socket = await connect(app, alice);
  await socket.expect("room:join", { roomId: busy });
  const post = (roomId: string) => ({
    roomId,
    text: EXAMPLE.text,
    clientMsgId: crypto.randomUUID(),
  });
  const { checkAck } = protocol.clientEvents.get("message:send")!;
  const codes = new Set<string>(Object.keys(ELSEWHERE));
  const refused = async (code: RefusalCode, event: string, data: object) => {
    const ack = await socket.request(event as "message:send", data as never);
    assert.equal(ack.success, false);
    assert.equal("code" in ack && ack.code, code);
    assert.deepEqual(checkAck({ ack: 1, data: ack }), [], code);
    codes.add(code);
  };
  await refused("bad_request", "message:send", {});
  await refused("unknown_event", "room:greet", {});
  await refused("not_a_member", "message:send", post(foreign));
  await refused("room_not_found", "message:send", post(crypto.randomUUID()));
  await meetChangeRefusals(socket, busy, refused);
  for (let n = 0; n < 4; n++) await say(socket, busy);
  await refused("muted", "message:send", post(busy));
  await socket.waitFor("room:system", ({ type }) => type === "muted");
  for (const frame of ["no JSON", '{"event":"room:greet","data":{}}']) {
    const before = socket.all("error").length;
    socket.sendRaw(frame);
    await until("an error", () => socket.all("error").length > before);
  }
  checkAll(protocol, socket);

  // The document lists these and no more.
  assert.deepEqual([...codes].sort(), protocol.codes.toSorted());
}

/** The codes of changes, in a room of one's own where nothing was said yet. */
async function meetChangeRefusals(
  socket: TestClient,
  roomId: string,
  refused: (code: RefusalCode, event: string, data: object) => Promise<void>,
): Promise<void> {
  const unknown = { roomId, messageId: crypto.randomUUID() };
  await refused("message_not_found", "message:delete", unknown);
  const { messageId } = await say(socket, roomId);
  const target = { roomId, messageId };
  await socket.expect("message:edit", { ...target, text: "edited" });
  await refused("edit_conflict", "message:edit", {
    ...{ ...target, text: "edited anew", baseRev: 0 },
  });
  await socket.expect("message:delete", target);
  await refused("message_deleted", "pin:set", { ...target, on: true });
}

/** An event stream from its first event to the close that ends it. */
async function watchStream(
  protocol: Protocol,
  alice: Person,
): Promise<void> {
  const answer = await alice.fetch("/api/events");
  const parts = answer.body!.pipeThrough(new TextDecoderStream()).values();
  let text: string = (await parts.next()).value ?? "";
  const ended = await alice.fetch("/api/auth/logout", { method: "POST" });
  assert.equal(ended.status, 204);
  for await (const part of parts) text += part;
  for (const part of text.trim().split("\n\n")) {
    const frame = part.replace(/^data: /, "");
    assert.deepEqual(protocol.checkFrame(frame), [], frame);
  }
}

Deno.test("what a refusal's setting is elsewhere is there", async () => {
  for (const path of Object.values(ELSEWHERE)) {
    await Deno.stat(new URL(`../../${path}`, import.meta.url));
  }
});

Deno.test("AsyncAPI's own parser finds no error and no warning in the document", async () => {
  const { diagnostics } = await new Parser().parse(
    JSON.stringify(asyncApiDocument()),
  );
  const found = diagnostics.filter(({ severity }) => severity <= WARNING);
  assert.deepEqual(found, []);
});
