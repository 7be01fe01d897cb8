import assert from "node:assert/strict";
import {
  brief,
  CLIENT_ID,
  createDispatch,
  expectAnswer,
  ROOM,
} from "../../tests/realtime/dispatch_fakes.ts";
import { MAX_FRAME_BYTES } from "../protocol/limits.ts";

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
