import assert from "node:assert/strict";
import {
  brief,
  CLIENT_ID,
  createDispatch,
  expectAnswer,
  ROOM,
} from "../../tests/realtime/dispatch_fakes.ts";
import { connectionLost, sqlError } from "../../tests/realtime/fakes.ts";
import { refuse } from "../protocol/envelope.ts";

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
