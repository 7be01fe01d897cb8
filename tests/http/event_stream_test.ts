/** `/api/events` over HTTP: who may open a stream, and what may be posted for it. */

import assert from "node:assert/strict";
import { startTestApp, useTestApp } from "../helpers/app.ts";
import { createRoom, type Person, signIn } from "../helpers/people.ts";
import { expectProblem } from "./expect_problem.ts";

const app = useTestApp();

/** Reads an event stream: each call gives the next event's data. */
function eventReader(answer: Response) {
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get("content-type"), "text/event-stream");
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  return {
    async next(): Promise<{ event: string; data: Record<string, unknown> }> {
      for (;;) {
        const found = /^data: (.*)\n\n/m.exec(text);
        if (found !== null) {
          text = text.slice(found.index + found[0].length);
          return JSON.parse(found[1]!);
        }
        const { done, value } = await reader.read();
        if (done) throw new Error("the stream ended");
        text += value;
      }
    },
    async [Symbol.asyncDispose]() {
      await reader.cancel();
    },
  };
}

async function openStream(person: Person) {
  const stream = eventReader(await person.fetch("/api/events"));
  const { event, data } = await stream.next();
  assert.equal(event, "hello");
  return { stream, path: `/api/events?connection=${data.connectionId}` };
}

Deno.test("an event stream says hello, and posted frames are acked and heard", async () => {
  const alice = await signIn(app, "alice");
  const room = await createRoom(alice);
  const { stream, path } = await openStream(alice);
  await using _ = stream;
  const post = (json: unknown) => alice.fetch(path, { method: "POST", json });

  const synced = await post({
    id: 1,
    event: "rooms:sync",
    data: { rooms: [{ roomId: room.id }] },
  });
  assert.equal(synced.status, 200);
  const ack = await synced.json();
  assert.deepEqual([ack.ack, ack.data.success], [1, true]);

  const sent = await post({
    id: 2,
    event: "message:send",
    data: {
      roomId: room.id,
      text: "by post",
      clientMsgId: crypto.randomUUID(),
    },
  });
  assert.equal((await sent.json()).data.seq, 1);
  for (;;) {
    const envelope = await stream.next();
    if (envelope.event !== "message:new") continue;
    assert.equal(envelope.data.text, "by post");
    break;
  }

  const unasked = await post({ event: "presence:ping", data: {} });
  assert.equal(unasked.status, 204);
  const unknown = await post({ id: 3, event: "no:such", data: {} });
  assert.equal((await unknown.json()).data.code, "unknown_event");
});

Deno.test("an event stream is 401 without a session and 403 for another site's page", async () => {
  const { cookie } = await signIn(app, "erin");
  const open = (headers: Record<string, string>) =>
    fetch(`${app.origin}/api/events`, { headers });
  await expectProblem(await open({}), "unauthorized");
  await expectProblem(
    await open({ cookie, origin: "https://evil.test" }),
    "cross_origin",
  );
  await expectProblem(
    await open({ cookie, "sec-fetch-site": "cross-site" }),
    "cross_origin",
  );
  const own = eventReader(await open({ cookie, origin: app.origin }));
  assert.equal((await own.next()).event, "hello");
  await own[Symbol.asyncDispose]();
});

Deno.test("HEAD /api/events opens no stream", async () => {
  await using small = await startTestApp({ MAX_SOCKETS_PER_USER: "1" });
  const alice = await signIn(small, "alice");
  for (let i = 0; i < 3; i++) {
    const answer = await alice.fetch("/api/events", { method: "HEAD" });
    assert.equal(answer.status, 200);
  }
  await using _ = eventReader(await alice.fetch("/api/events"));
});

Deno.test("a frame posted to an unknown, another user's or no connection is refused", async () => {
  const [alice, eve] = [await signIn(app, "alice"), await signIn(app, "eve")];
  const { stream, path } = await openStream(alice);
  await using _ = stream;
  const json = { id: 1, event: "presence:ping", data: {} };
  const init = { method: "POST", json };
  // The premise: the frame is good.
  assert.equal((await (await alice.fetch(path, init)).json()).ack, 1);
  await expectProblem(await eve.fetch(path, init), "connection_not_found");
  await expectProblem(
    await alice.fetch(`/api/events?connection=${crypto.randomUUID()}`, init),
    "connection_not_found",
  );
  await expectProblem(
    await alice.fetch("/api/events", init),
    "validation_failed",
  );
  const anonymous = await fetch(app.origin + path, {
    method: "POST",
    body: "{}",
  });
  await expectProblem(anonymous, "unauthorized");
});

Deno.test("a posted frame must be JSON by type and fit a frame", async () => {
  const alice = await signIn(app, "alice");
  const { stream, path } = await openStream(alice);
  await using _ = stream;
  const body = '{"id":1,"event":"presence:ping","data":{}}';
  for (const type of ["text/plain", "application/x-www-form-urlencoded"]) {
    await expectProblem(
      await alice.fetch(path, {
        method: "POST",
        headers: { "content-type": type },
        body,
      }),
      "unsupported_media_type",
    );
  }
});

Deno.test("a posted frame above 16 KiB is refused and ends its stream with 1009, as a socket", async () => {
  const alice = await signIn(app, "alice");
  const { stream, path } = await openStream(alice);
  await using _ = stream;
  const frame = (bytes: number) => {
    const empty = { id: 1, event: "presence:ping", data: { x: "" } };
    const x = "x".repeat(bytes - JSON.stringify(empty).length);
    return { method: "POST", json: { ...empty, data: { x } } };
  };
  const largest = await alice.fetch(path, frame(16_384));
  assert.equal((await largest.json()).ack, 1);
  await expectProblem(await alice.fetch(path, frame(16_385)), "body_too_large");
  const last = await stream.next();
  assert.deepEqual([last.event, last.data.code], ["close", 1009]);
});

Deno.test("a posted frame that is no JSON is an error event, and the stream lives", async () => {
  const alice = await signIn(app, "alice");
  const { stream, path } = await openStream(alice);
  await using _ = stream;
  const bad = await alice.fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: "{not json",
  });
  assert.equal(bad.status, 200);
  const body = await bad.json();
  assert.deepEqual([body.event, body.data.code], ["error", "bad_request"]);
  const ping = { id: 1, event: "presence:ping", data: {} };
  const good = await alice.fetch(path, { method: "POST", json: ping });
  assert.equal((await good.json()).data.success, true);
});
