import assert from "node:assert/strict";
import { createFakeClock } from "../../tests/helpers/clock.ts";
import { recordingLog } from "../../tests/helpers/log.ts";
import {
  connectionLost,
  createConnection,
  sqlError,
} from "../../tests/realtime/fakes.ts";
import { MAX_FRAME_BYTES } from "../protocol/limits.ts";
import { refuse } from "../protocol/envelope.ts";
import { CLIENT_EVENTS } from "../protocol/protocol.ts";
import type { Connection } from "./connection.ts";
import { Dispatch, type Handlers } from "./dispatch.ts";

const ROOM = crypto.randomUUID();
const CLIENT_ID = crypto.randomUUID();

function createDispatch(handlers: Partial<Handlers> = {}) {
  const log = recordingLog();
  /** What reached a handler, in order. */
  const handled: { event: string; data: unknown }[] = [];
  const handler = (event: keyof Handlers) =>
    handlers[event] ??
      ((_: Connection, data: unknown) => {
        handled.push({ event, data });
        return { success: true };
      });
  const names = Object.keys(CLIENT_EVENTS) as (keyof Handlers)[];
  const dispatch = new Dispatch(
    Object.fromEntries(
      names.map((name) => [name, handler(name)]),
    ) as unknown as Handlers,
    log,
  );
  const { connection } = createConnection(createFakeClock());
  return {
    log,
    handled,
    /** The answers to a frame so far: parsed, undefined for one that needs none. */
    answers(frame: unknown) {
      const answers: unknown[] = [];
      const text = typeof frame === "string" ? frame : JSON.stringify(frame);
      const pending = dispatch.handle(
        connection,
        text,
        (answer) => answers.push(answer && JSON.parse(answer)),
      );
      return { answers, pending };
    },
  };
}

/** An answer in short: `ack 1 code`, `error code`, `ack 1 success`. */
function brief(answer: unknown): string {
  const { ack, event, data } = answer as {
    ack?: number;
    event?: string;
    data: { success?: boolean; code?: string };
  };
  const outcome = data.success ? "success" : data.code;
  return ack === undefined ? `${event} ${outcome}` : `ack ${ack} ${outcome}`;
}

function expectAnswer(frame: unknown, expected: string) {
  const { answers, handled } = ((test) => ({
    handled: test.handled,
    ...test.answers(frame),
  }))(createDispatch());
  const shown = (typeof frame === "string" ? frame : JSON.stringify(frame))
    .slice(0, 80);
  assert.deepEqual(answers.map(brief), [expected], shown);
  assert.deepEqual(handled, [], shown);
}

Deno.test("a frame that is no JSON object is answered with an error event", () => {
  const frames = [
    ...["", " ", "x", "{", '{"event":', "undefined", "NaN", "'a'", "\0"],
    ...["null", "true", "1", '"text"', "[]", "[[]]", "[1]", '{"id":1}}'],
    ...['[{"id":1,"event":"presence:ping","data":{}}]', "{'id':1}", "\ufeff{}"],
  ];
  for (const frame of frames) expectAnswer(frame, "error bad_request");
});

Deno.test("a frame without a sound event or data is answered, under its id when it has one", () => {
  const ping = { event: "presence:ping", data: {} };
  for (
    const wrong of [
      ...[{ event: 1 }, { event: null }, { event: ["presence:ping"] }],
      ...[{ event: undefined }, { data: undefined }, { data: null }],
      ...[{ data: [] }, { data: "x" }, { data: 1 }, { data: true }],
    ]
  ) {
    expectAnswer({ ...ping, ...wrong }, "error bad_request");
    expectAnswer({ id: 7, ...ping, ...wrong }, "ack 7 bad_request");
  }
});

Deno.test("an id that is no safe integer from 0 on cannot be acked", () => {
  const ids = [
    ...[-1, 1.5, 2 ** 53, 1e300, "1", "", null, true, [1], { a: 1 }],
  ];
  for (const id of ids) {
    expectAnswer(
      { id, event: "presence:ping", data: {} },
      "error bad_request",
    );
  }
  for (const id of [0, 1, Number.MAX_SAFE_INTEGER]) {
    const { answers } = createDispatch().answers(
      { id, event: "presence:ping", data: {} },
    );
    assert.deepEqual(answers, [{ ack: id, data: { success: true } }]);
  }
});

Deno.test("an unknown event is answered with unknown_event, also when it is named like a part of JavaScript", () => {
  const names = [
    ...["", "message:new", "MESSAGE:SEND", "message:send ", "hello"],
    ...["__proto__", "constructor", "toString", "hasOwnProperty", "valueOf"],
  ];
  for (const event of names) {
    expectAnswer({ id: 1, event, data: {} }, "ack 1 unknown_event");
    expectAnswer({ event, data: {} }, "error unknown_event");
  }
});

Deno.test("data of wrong types is answered with bad_request and reaches no handler", () => {
  const message = { roomId: ROOM, text: "hello", clientMsgId: CLIENT_ID };
  const room = { roomId: ROOM };
  const wrong: [string, Record<string, unknown>][] = [
    ...[1, null, true, [], {}, undefined].map((
      text,
    ) => ["message:send", { ...message, text }] as [string, typeof message]),
    ["message:send", { ...message, clientMsgId: "not a uuid" }],
    ["message:send", { ...message, clientMsgId: "" }],
    ["message:send", { ...message, clientMsgId: CLIENT_ID + " " }],
    ["message:send", { ...message, clientMsgId: "x".repeat(10_000) }],
    ["message:send", { ...message, clientMsgId: [CLIENT_ID] }],
    ["message:send", { ...message, roomId: undefined }],
    ["message:send", { ...message, roomId: 1 }],
    ["message:send", { ...message, roomId: { toString: ROOM } }],
    ["message:send", {}],
    ["room:join", {}],
    ["room:join", { roomId: null }],
    ["room:join", { roomId: "" }],
    ["room:join", { roomId: "x".repeat(65) }],
    ["room:join", { ...room, lastSeq: -1 }],
    ["room:join", { ...room, lastSeq: 1.5 }],
    ["room:join", { ...room, lastSeq: "1" }],
    ["room:join", { ...room, lastSeq: 2 ** 53 }],
    ["room:join", { ...room, lastSeq: null }],
    ["room:join", { ...room, lastSeenAt: 1_700_000_000_000 }],
    ["room:join", { ...room, lastSeenAt: "yesterday" }],
    ["room:join", { ...room, lastSeenAt: "2026-13-01T00:00:00Z" }],
    ["room:join", { ...room, lastSeenAt: "2026-02-30T00:00:00Z" }],
    ["room:join", { ...room, lastSeenAt: "2026-01-01" }],
    ["room:join", { ...room, lastSeenAt: "2026-01-01T00:00:00" }],
    ["room:leave", {}],
    ["room:leave", { roomId: [ROOM] }],
    ["room:read", room],
    ["typing:update", room],
    ["typing:update", { ...room, isTyping: "true" }],
    ["typing:update", { ...room, isTyping: 1 }],
    ["presence:ping", { roomId: 1 }],
    ["rooms:sync", {}],
    ["rooms:sync", { rooms: {} }],
    ["rooms:sync", { rooms: "all" }],
    ["rooms:sync", { rooms: [null] }],
    ["rooms:sync", { rooms: [[]] }],
    ["rooms:sync", { rooms: [{}] }],
    ["rooms:sync", { rooms: [room, { ...room, lastSeq: -1 }] }],
    ["rooms:sync", { rooms: Array.from({ length: 501 }, () => room) }],
  ];
  for (const [event, data] of wrong) {
    expectAnswer({ id: 3, event, data }, "ack 3 bad_request");
    expectAnswer({ event, data }, "error bad_request");
  }
});

Deno.test("deep nesting is refused wherever it is, and costs no stack", () => {
  const deep = (levels: number, open = "[", close = "]") =>
    open.repeat(levels) + close.repeat(levels);
  for (
    const data of [
      `{"x":${deep(20)}}`,
      `{"roomId":${deep(8_000)}}`,
      `{"x":${'{"a":'.repeat(2_000)}1${"}".repeat(2_000)}}`,
      deep(8_000),
    ]
  ) {
    const { answers } = createDispatch().answers(
      `{"id":1,"event":"presence:ping","data":${data}}`,
    );
    assert.deepEqual(answers.map(brief), ["ack 1 bad_request"]);
  }
  expectAnswer(deep(MAX_FRAME_BYTES / 2), "error bad_request");
  expectAnswer("[".repeat(MAX_FRAME_BYTES), "error bad_request");
});

Deno.test("brackets in a text are text, also behind escaped quotes", () => {
  const texts = [
    ...["[".repeat(400), "{[".repeat(200), '"[[[[[[[[[[[[[[[[[[[[[[[[[['],
    ...["\\[[[[[[[[[[[[[[[[[[[[[", '\\"{{{{{{{{{{{{{{{{{{{{{{', "]]]}}}"],
  ];
  for (const text of texts) {
    const { answers, handled } = ((test) => ({
      handled: test.handled,
      ...test.answers({
        id: 1,
        event: "message:send",
        data: { roomId: ROOM, text, clientMsgId: CLIENT_ID },
      }),
    }))(createDispatch());
    assert.deepEqual(answers.map(brief), ["ack 1 success"], text);
    assert.equal((handled[0]!.data as { text: string }).text, text);
  }
});

Deno.test("keys like __proto__ change nothing, and fields nobody asked for are left out", () => {
  const test = createDispatch();
  const { answers } = test.answers(
    `{"id":1,"__proto__":{"admin":true},"event":"message:send","data":{
      "__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}},
      "roomId":"${ROOM}","text":"hello","clientMsgId":"${CLIENT_ID}",
      "userId":"somebody","seq":1,"createdAt":"2020-01-01T00:00:00Z"}}`,
  );
  assert.deepEqual(answers.map(brief), ["ack 1 success"]);
  assert.equal((({}) as { admin?: boolean }).admin, undefined);
  const data = test.handled[0]!.data as Record<string, unknown>;
  assert.deepEqual(Object.keys(data).sort(), ["clientMsgId", "roomId", "text"]);
  assert.equal(data.admin, undefined);
});

Deno.test("ids reach the handler in lower case", () => {
  const test = createDispatch();
  test.answers({
    event: "message:send",
    data: {
      roomId: ROOM.toUpperCase(),
      text: "Hello",
      clientMsgId: CLIENT_ID.toUpperCase(),
    },
  });
  assert.deepEqual(test.handled[0]!.data, {
    roomId: ROOM,
    text: "Hello",
    clientMsgId: CLIENT_ID,
  });
});

Deno.test("without an id a success needs no answer and a refusal is an error event", async () => {
  const ping = { event: "presence:ping", data: {} };
  assert.deepEqual(createDispatch().answers(ping).answers, [undefined]);
  const refusing = createDispatch({
    "presence:ping": () => Promise.resolve(refuse("not_a_member", "No.")),
  });
  const { answers, pending } = refusing.answers(ping);
  await pending;
  assert.deepEqual(answers, [
    { event: "error", data: { code: "not_a_member", message: "No." } },
  ]);
});

Deno.test("a handler that fails is answered as internal with an id that is in the log, and nothing of the error", async () => {
  for (
    const handler of [
      () => {
        throw new TypeError("secret detail");
      },
      () => Promise.reject(sqlError("42P01")),
      () => Promise.reject("a string"),
      () => Promise.reject(undefined),
    ]
  ) {
    const test = createDispatch({ "presence:ping": handler });
    const { answers, pending } = test.answers(
      { id: 1, event: "presence:ping", data: {} },
    );
    await pending;
    assert.deepEqual(answers.map(brief), ["ack 1 internal"]);
    const text = JSON.stringify(answers);
    assert.ok(!text.includes("secret") && !text.includes("42P01"));
    const id = /Error id: ([\w-]+)/.exec(text)?.[1];
    assert.ok(id !== undefined && test.log.lines[0]!.includes(id));
  }
});

Deno.test("a handler that fails because the database is away is answered as unavailable", async () => {
  const test = createDispatch({
    "presence:ping": () => Promise.reject(connectionLost()),
  });
  const { answers, pending } = test.answers(
    { id: 1, event: "presence:ping", data: {} },
  );
  await pending;
  assert.deepEqual(answers.map(brief), ["ack 1 unavailable"]);
});

Deno.test("the next frame waits for the one before, but not for the ack of a message", () => {
  const never = new Promise<never>(() => {});
  const test = createDispatch({
    "room:join": () => never,
    "message:send": () => never,
  });
  const join = { event: "room:join", data: { roomId: ROOM } };
  assert.ok(test.answers(join).pending instanceof Promise);
  const send = {
    event: "message:send",
    data: { roomId: ROOM, text: "hello", clientMsgId: CLIENT_ID },
  };
  assert.equal(test.answers(send).pending, undefined);
});
