import assert from "node:assert/strict";
import { createMessage } from "../../tests/realtime/fakes.ts";
import { parseSignal, type Signal } from "./signals.ts";

const ID = "6f1d6c1e-9a0f-4a0e-9f43-0d6f0a1b2c3d";
const USER = { id: ID, username: "alice" };
const AT = "2026-03-01T12:00:00.000Z";

const message = {
  ...createMessage(1, ID),
  ...{ messageId: ID, clientMsgId: ID, sender: USER },
};

const SIGNALS: Signal[] = [
  { kind: "messages", roomId: ID, messages: [message] },
  { kind: "changes", roomId: ID, rev: 3 },
  {
    kind: "announcement",
    event: {
      event: "room:system",
      data: { type: "join", roomId: ID, user: USER, createdAt: AT },
    },
  },
  { kind: "typing", roomId: ID, changes: [{ user: USER, isTyping: true }] },
  {
    kind: "membership",
    change: {
      user: USER,
      roomId: ID,
      isMember: true,
      at: AT,
      isAnnounced: true,
    },
  },
  {
    kind: "event",
    userId: ID,
    event: { event: "room:read", data: { roomId: ID, lastSeq: 3 } },
  },
  { kind: "sign_out", userId: ID },
  { kind: "sign_out", userId: ID, sessionIds: [ID] },
  {
    kind: "presence",
    from: "a",
    number: 1,
    changes: { online: [ID], offline: [] },
  },
  { kind: "alive", from: "a", number: 1 },
  { kind: "hello" },
  { kind: "goodbye", from: "a" },
  {
    kind: "frame",
    frame: { id: "1", from: "a", connectionId: ID, userId: ID, text: "{}" },
  },
  { kind: "frame_answer", id: "1", result: { answer: "{}" } },
  { kind: "frame_answer", id: "1", result: "not_found" },
];

Deno.test("parseSignal() gives back every kind of signal", () => {
  for (const signal of SIGNALS) {
    assert.deepEqual(parseSignal(JSON.stringify(signal)), signal);
  }
});

Deno.test("parseSignal() passes over what a newer version says, and keeps what it knows of it", () => {
  assert.equal(parseSignal('{"kind":"of tomorrow","roomId":7}'), undefined);
  assert.deepEqual(
    parseSignal('{"kind":"alive","from":"a","number":1,"mood":"good"}'),
    { kind: "alive", from: "a", number: 1 },
  );
});

Deno.test("parseSignal() refuses what is no signal", () => {
  const forged: unknown[] = [
    ...[{}, [], null, 7, "hello"],
    { kind: "messages", roomId: ID, messages: [{ ...message, seq: "1000" }] },
    { kind: "messages", roomId: ID, messages: [{ seq: 1, text: "no sender" }] },
    { kind: "changes", roomId: ID, rev: -1 },
    { kind: "event", userId: ID, event: { event: "room:read", data: {} } },
    { kind: "event", userId: ID, event: { event: "constructor", data: {} } },
    { kind: "announcement", event: { event: "message:new", data: message } },
    { kind: "sign_out", sessionIds: [ID] },
  ];
  for (const each of forged) {
    assert.throws(
      () => parseSignal(JSON.stringify(each)),
      JSON.stringify(each),
    );
  }
});
