import assert from "node:assert/strict";
import { startTestApp } from "../helpers/app.ts";
import { signIn } from "../helpers/people.ts";
import { until } from "../helpers/rooms.ts";

Deno.test("a sender who goes away in the middle of a body is neither an error of ours nor one of the database", async () => {
  const lines: string[] = [];
  await using app = await startTestApp({ LOG_LEVEL: "debug" }, {
    start: { writeLog: (line) => void lines.push(line) },
  });
  const { token } = await signIn(app, "alice");
  for (const path of ["/api/rooms", "/api/events?connection=1"]) {
    using connection = await Deno.connect({ port: app.port });
    await connection.write(
      new TextEncoder().encode([
        `POST ${path} HTTP/1.1`,
        "host: localhost",
        `authorization: Bearer ${token}`,
        "content-type: application/json",
        "content-length: 100",
        "",
        '{"name": "half of',
      ].join("\r\n")),
    );
    // It has been read when what came after it is answered.
    await (await fetch(`${app.origin}/health`)).body?.cancel();
  }
  const isTold = () =>
    lines.filter((line) => line.includes("status=400")).length === 2;
  await until("both are told of", isTold);
  assert.deepEqual(lines.filter((line) => / (warn|error) /.test(line)), []);
});
