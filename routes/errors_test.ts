import assert from "node:assert/strict";
import { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { UnavailableError } from "../db/engine/errors.ts";
import { recordingLog } from "../tests/helpers/log.ts";
import { answerError } from "./errors.ts";
import type { AppEnv } from "./deps.ts";

async function failWith(error: Error) {
  const log = recordingLog();
  const app = new Hono<AppEnv>();
  app.get("/", () => {
    throw error;
  });
  app.onError(answerError(log));
  const answer = await app.request("/?q=private");
  const text = await answer.text();
  return { answer, text, body: JSON.parse(text), log: log.lines.join("\n") };
}

Deno.test("an unforeseen error is a 500 that tells nothing but an id, which the log has too", async () => {
  for (
    const error of [
      new TypeError("secret detail in /srv/chatket/routes/rooms.ts"),
      new RangeError("secret detail"),
      Object.assign(new Error("secret detail: duplicate key"), {
        code: "23505",
      }),
    ]
  ) {
    const { answer, text, body, log } = await failWith(error);
    assert.equal(answer.status, 500);
    assert.equal(body.code, "internal");
    assert.ok(!/secret|srv|rooms\.ts|23505/.test(text), text);
    const id = /^urn:uuid:([\da-f-]{36})$/.exec(body.instance)?.[1];
    assert.ok(id !== undefined && log.includes(id));
    assert.ok(log.includes("secret detail"));
    assert.ok(!log.includes("private"), "the query is not logged");
  }
});

Deno.test("a database that is away is a 503 with Retry-After", async () => {
  for (
    const error of [
      new UnavailableError("Connection terminated"),
      Object.assign(new Error("refused"), { code: "ECONNREFUSED" }),
      Object.assign(new Error("shutting down"), { code: "57P01" }),
    ]
  ) {
    const { answer, body, text } = await failWith(error);
    assert.equal(answer.status, 503);
    assert.equal(body.code, "unavailable");
    assert.equal(answer.headers.get("retry-after"), "2");
    assert.ok(!text.includes(error.message));
  }
});

Deno.test("the framework's refusals are problems too", async () => {
  for (
    const [status, code] of [
      [400, "validation_failed"],
      [413, "body_too_large"],
      [415, "unsupported_media_type"],
    ] as const
  ) {
    const { answer, body, log } = await failWith(
      new HTTPException(status, { message: "for people" }),
    );
    assert.equal(answer.status, status);
    assert.deepEqual([body.code, body.detail], [code, "for people"]);
    const errors = [{ path: "", message: "for people" }];
    assert.deepEqual(body.errors, status === 400 ? errors : undefined);
    assert.equal(
      answer.headers.get("content-type"),
      "application/problem+json",
    );
    assert.equal(log, "", "a refusal is no failure");
  }
});
