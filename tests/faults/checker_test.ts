import assert from "node:assert/strict";
import type { Message } from "../../realtime/protocol/protocol.ts";
import { check, type CheckInput, type StoredRoom } from "./checker.ts";
import type { Sent, View } from "./history.ts";

const message = (seq: number, more: Partial<Message> = {}): Message => ({
  messageId: `id-${seq}`,
  roomId: "room",
  seq,
  text: `text ${seq}`,
  createdAt: new Date(1_700_000_000_000 + seq).toISOString(),
  clientMsgId: `client-${seq}`,
  sender: { id: "ada", username: "ada" },
  ...more,
});

const ackOf = ({ messageId, seq, createdAt }: Message) => ({
  messageId,
  seq,
  createdAt,
  isDuplicate: false,
});

const sentOf = (stored: Message, more: Partial<Sent> = {}): Sent => ({
  userId: stored.sender.id,
  roomId: stored.roomId,
  clientMsgId: stored.clientMsgId,
  text: stored.text,
  author: "raw 1",
  order: stored.seq,
  frames: 1,
  acks: [ackOf(stored)],
  refusals: [],
  seen: false,
  ...more,
});

const three = [message(1), message(2), message(3)];

/** A run of three messages in which all is well, with what is to be different. */
function run(
  { room, sent, view }: {
    room?: Partial<StoredRoom>;
    sent?: Sent[];
    view?: Partial<View>;
  } = {},
): CheckInput {
  return {
    rooms: [{
      roomId: "room",
      lastSeq: 3,
      lastRev: 0,
      checkedThrough: 0,
      messages: three,
      ...room,
    }],
    sent: sent ?? three.map((each) => sentOf(each)),
    views: [{
      client: "raw 2",
      roomId: "room",
      messages: three,
      rev: 0,
      position: 3,
      mustBeComplete: true,
      ...view,
    }],
  };
}

const rules = (input: CheckInput) =>
  [...new Set(check(input).map(({ rule }) => rule))].sort();

Deno.test("check() finds nothing where all is well", () => {
  assert.deepEqual(check(run()), []);
});

const faults: Record<string, CheckInput> = {
  "what was acked is stored": run({
    sent: [
      ...three.map((each) => sentOf(each)),
      sentOf(message(4), { clientMsgId: "lost" }),
    ],
  }),
  "an ack names the stored message": run({
    sent: three.map((each) =>
      sentOf(each, {
        acks: [ackOf(each), {
          ...ackOf(each),
          messageId: "id-other",
          isDuplicate: true,
        }],
      })
    ),
  }),
  "only the first ack is no duplicate": run({
    sent: three.map((each) =>
      sentOf(each, { acks: [ackOf(each), ackOf(each)] })
    ),
  }),
  "what was refused for good is not stored": run({
    sent: three.map((each) =>
      sentOf(each, { acks: [], refusals: ["bad_request"] })
    ),
  }),
  "every message is answered in the end": run({
    sent: three.map((each) =>
      sentOf(each, { acks: [], refusals: ["unavailable"] })
    ),
  }),
  "an author's messages keep their order": run({
    sent: three.map((each) => sentOf(each, { order: 10 - each.seq })),
  }),
  "only what was sent is stored": run({
    sent: three.slice(1).map((each) => sentOf(each)),
  }),
  "the room's count is that of its messages": run({
    room: { lastSeq: 4 },
    view: { mustBeComplete: false },
  }),
  "a client that is connected gets everything": run({
    view: { messages: three.slice(0, 2), position: 2 },
  }),
  "a position is that of the last message seen": run({
    view: { messages: three.slice(0, 2) },
  }),
  "a client sees what is stored": run({
    view: { messages: [three[0]!, three[1]!, message(3, { text: "other" })] },
  }),
  "a client sees each message once and in order": run({
    view: { messages: [three[0]!, three[2]!] },
  }),
};

for (const [rule, input] of Object.entries(faults)) {
  Deno.test(`check() reports a breach of "${rule}", and nothing else`, () => {
    assert.deepEqual(rules(input), [rule]);
  });
}

Deno.test("check() reports a gap in seq, a repeat and a time that goes back", () => {
  const gap = [message(1), message(3)];
  assert.ok(
    rules(run({ room: { messages: gap } })).includes(
      "seq has no gap and no repeat",
    ),
  );
  const repeat = [message(1), message(1, { messageId: "x", clientMsgId: "x" })];
  assert.ok(
    rules(run({ room: { messages: repeat } })).includes(
      "seq has no gap and no repeat",
    ),
  );
  const back = [message(1), message(2, { createdAt: "2000-01-01T00:00:00Z" })];
  assert.ok(
    rules(run({ room: { messages: back } })).includes(
      "createdAt never decreases with seq",
    ),
  );
});

Deno.test("check() reports a message that is stored twice", () => {
  const doubled = [
    ...three,
    message(4, { clientMsgId: "client-2", text: "text 2" }),
  ];
  assert.ok(
    rules(run({ room: { messages: doubled, lastSeq: 4 } })).includes(
      "a message is stored once",
    ),
  );
  const sameId = [...three, message(4, { messageId: "id-2" })];
  assert.ok(
    rules(run({ room: { messages: sameId, lastSeq: 4 } })).includes(
      "a messageId is unique",
    ),
  );
});

Deno.test("check() goes on from where the last check ended", () => {
  const [, , third] = three;
  const input = run({ room: { checkedThrough: 2, messages: [third!] } });
  assert.deepEqual(
    check({ ...input, sent: [sentOf(third!)] }),
    [],
  );
});

Deno.test("check() takes no offence at a client that is away, at repeats or at trimmed text", () => {
  const sent = three.map((each) =>
    sentOf(each, {
      text: ` ${each.text}\n`,
      acks: [ackOf(each), { ...ackOf(each), isDuplicate: true }],
      refusals: ["unavailable"],
    })
  );
  const away = { messages: [], position: 1, mustBeComplete: false };
  assert.deepEqual(check(run({ sent, view: away })), []);
});
