/** Where WebSockets are blocked a balancer gives the stream and each post to any machine. */

import assert from "node:assert/strict";
import type { Person } from "../../helpers/people.ts";
import { createSharedRoom, say, until } from "../../helpers/rooms.ts";
import { at, missing, useMachines } from "./machines.ts";

const machines = useMachines(2);
const ignore = missing !== undefined;

/** An event stream: what has come so far, as text, and the id it was greeted with. */
async function openStream(person: Person) {
  const answer = await person.fetch("/api/events");
  assert.equal(answer.status, 200);
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  const reading = (async () => {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      text += value;
    }
  })();
  const greeting = /"connectionId":"([^"]+)"/;
  await until("hello", () => greeting.test(text));
  return {
    connectionId: greeting.exec(text)![1]!,
    text: () => text,
    async [Symbol.asyncDispose]() {
      await reader.cancel();
      await reading;
    },
  };
}

/** Posts a frame for a stream; gives the status and the ack's data. */
async function post(
  person: Person,
  connectionId: string,
  event: string,
  data: unknown,
): Promise<{ status: number; data: Record<string, unknown> }> {
  const answer = await person.fetch(`/api/events?connection=${connectionId}`, {
    method: "POST",
    json: { id: 1, event, data },
  });
  return { status: answer.status, data: (await answer.json()).data };
}

Deno.test({
  name:
    "a frame posted to one machine is handled where the stream is: synced, sent, acked, told",
  ignore,
  async fn() {
    await using chat = await createSharedRoom(machines.all);
    const [a, b] = chat.members;
    const { id: roomId } = chat.room;
    const [here, there] = machines.all;
    await using stream = await openStream(at(here, b.person));
    const remote = at(there, b.person);
    const joined = await post(remote, stream.connectionId, "room:join", {
      roomId,
      lastSeq: 0,
    });
    assert.deepEqual([joined.status, joined.data.success], [200, true]);
    const clientMsgId = crypto.randomUUID();
    const message = { roomId, text: "posted over there", clientMsgId };
    for (const isDuplicate of [undefined, true]) {
      const sent = await post(
        remote,
        stream.connectionId,
        "message:send",
        message,
      );
      assert.equal(sent.status, 200);
      assert.equal(sent.data.seq, 1);
      assert.equal(sent.data.isDuplicate, isDuplicate);
    }
    await a.socket.waitFor("message:new");
    await until("told", () => stream.text().includes("posted over there"));
    await say(a.socket, roomId, "an answer");
    await until("answered", () => stream.text().includes("an answer"));
  },
});

Deno.test({
  name:
    "nobody posts for another's stream from another machine; a stream that is gone is 404 everywhere",
  ignore,
  async fn() {
    await using chat = await createSharedRoom(machines.all);
    const [a, b] = chat.members;
    const [here, there] = machines.all;
    const stream = await openStream(at(here, b.person));
    const { connectionId } = stream;
    const foreign = await post(at(there, a.person), connectionId, "room:join", {
      roomId: chat.room.id,
    });
    assert.equal(foreign.status, 404);
    await stream[Symbol.asyncDispose]();
    for (const machine of machines.all) {
      await until("the stream is gone", async () => {
        const answer = await post(
          at(machine, b.person),
          connectionId,
          "presence:ping",
          {},
        );
        return answer.status === 404;
      });
    }
  },
});
