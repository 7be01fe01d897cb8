/** Checklist: what browsers are told, what other sites may do, and what errors give away. */

import assert from "node:assert/strict";
import { startTestApp, useTestApp } from "../helpers/app.ts";
import { connect } from "../helpers/client.ts";
import { createRoom, expectJson, postJson, signIn } from "../helpers/people.ts";
import { expectProblem } from "../http/expect_problem.ts";
import { rawRequest } from "../http/raw_request.ts";
import {
  createRoomWithMembers,
  newPerson,
  say,
  send,
  waitUntilIdle,
} from "../helpers/rooms.ts";
import { securityCase } from "./case.ts";

const app = useTestApp();

securityCase(
  31,
  "any page",
  "a policy without inline script, without base and framing",
  async () => {
    const { cookie } = await newPerson(app);
    for (const path of ["/", "/login", "/docs/", "/nowhere"]) {
      const answer = await fetch(app.origin + path, { headers: { cookie } });
      const policy = answer.headers.get("content-security-policy") ?? "";
      const html = await answer.text();
      assert.match(policy, /default-src 'none'/, path);
      assert.match(policy, /base-uri 'none'.*frame-ancestors 'none'/, path);
      assert.ok(!policy.includes("unsafe-"), path);
      assert.ok(!/<script(?![^>]*\bsrc=)[^>]*>[^<]/.test(html), path);
      assert.ok(!/\son[a-z]+="/.test(html), path);
    }
  },
);

securityCase(
  32,
  "every kind of answer",
  "nosniff, no framing, Referrer-Policy, COOP; HSTS of two years over https",
  async () => {
    await using secure = await startTestApp({
      PUBLIC_ORIGIN: "https://chat.example.org",
    });
    for (const path of ["/login", "/api/rooms", "/health", "/static/none.js"]) {
      const { headers, body } = await fetch(secure.origin + path);
      await body?.cancel();
      assert.equal(headers.get("x-content-type-options"), "nosniff", path);
      assert.equal(headers.get("x-frame-options"), "DENY", path);
      assert.equal(headers.get("referrer-policy"), "same-origin", path);
      assert.equal(
        headers.get("cross-origin-opener-policy"),
        "same-origin",
        path,
      );
      const hsts = headers.get("strict-transport-security") ?? "";
      assert.ok(parseInt(hsts.replace("max-age=", "")) >= 31_536_000, path);
    }
  },
);

securityCase(
  33,
  "another site's form, also with JSON as text/plain",
  "403; nothing changes, and no GET changes anything",
  async () => {
    const { cookie, getJson } = await newPerson(app);
    for (
      const type of [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/json",
      ]
    ) {
      for (
        const path of [
          "/api/rooms",
          "/rooms",
          "/logout",
          "/api/auth/logout-everywhere",
        ]
      ) {
        const answer = await fetch(app.origin + path, {
          method: "POST",
          headers: {
            cookie,
            "content-type": type,
            origin: "https://evil.example",
          },
          body: '{"name":"Forged"}',
          redirect: "manual",
        });
        assert.equal(answer.status, 403, `${type} ${path}`);
        await answer.body?.cancel();
      }
    }
    for (
      const path of [
        "/logout",
        "/api/auth/logout",
        "/api/auth/logout-everywhere",
      ]
    ) {
      const answer = await fetch(app.origin + path, { headers: { cookie } });
      await answer.body?.cancel();
      assert.equal(answer.status, 405, path);
    }
    assert.deepEqual(await getJson("/api/rooms"), []);
  },
);

securityCase(
  34,
  "a CORS preflight from another origin",
  "no permission, nothing reflected",
  async () => {
    for (const origin of ["https://evil.example", "null"]) {
      const answer = await fetch(`${app.origin}/api/rooms`, {
        method: "OPTIONS",
        headers: { origin, "access-control-request-method": "POST" },
      });
      await answer.body?.cancel();
      for (const [name, value] of answer.headers) {
        assert.ok(!name.startsWith("access-control-"), name);
        assert.ok(!value.includes("evil.example"), name);
      }
    }
  },
);

securityCase(
  50,
  "what a member may do, done by another",
  "403 or not_a_member, and no event leaks; after leaving, the next message is not delivered",
  async () => {
    await using chat = await createRoomWithMembers(app, 2);
    const [{ socket }, leaver] = chat.members;
    const { id } = chat.room;
    const stranger = await newPerson(app);
    await using outside = await connect(app, stranger);
    for (const path of ["messages", "members"]) {
      const answer = await stranger.fetch(`/api/rooms/${id}/${path}`);
      await expectProblem(answer, "not_a_member");
    }
    const sent = await send(outside, id);
    assert.ok(!sent.success && sent.code === "not_a_member");
    const joined = await outside.request("room:join", { roomId: id });
    assert.ok(!joined.success);
    const synced = await outside.expect("rooms:sync", {
      rooms: [{ roomId: id }],
    });
    assert.equal(synced.results[0]?.synced, false);
    await outside.request("typing:update", { roomId: id, isTyping: true });
    await leaver.person.fetch(`/api/rooms/${id}/leave`, { method: "POST" });
    leaver.socket.forget();
    await say(socket, id, "for members");
    await waitUntilIdle(app, [outside, leaver.socket]);
    assert.deepEqual(outside.events, []);
    assert.deepEqual(leaver.socket.all("message:new"), []);
  },
);

securityCase(
  54,
  "a forged X-Forwarded-For",
  "not believed without a trusted proxy",
  async () => {
    await using limited = await startTestApp({ AUTH_RATE_LIMIT: "on" });
    const statuses = new Set<number>();
    for (let n = 0; n < 305; n++) {
      const answer = await fetch(`${limited.origin}/api/auth/verify-code`, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          "x-forwarded-for": `203.0.113.${n % 250}`,
        },
        body: "{}",
      });
      await answer.body?.cancel();
      statuses.add(answer.status);
    }
    assert.deepEqual([...statuses], [400, 429]);
  },
);

securityCase(
  55,
  "ways out of the folder of files; TRACE and invented methods",
  "404; 405",
  async () => {
    for (
      const path of [
        ...[
          "/static/../main.ts",
          "/static/..%2fmain.ts",
          "/static/%2e%2e/main.ts",
        ],
        ...["/static/..%252fmain.ts", "/static/..\\main.ts", "/static/%00"],
        ...[
          "/static/.hidden",
          "/static//etc/passwd",
          "/static/build/../../config.ts",
        ],
      ]
    ) {
      const { status, body } = await rawRequest(app, [
        `GET ${path} HTTP/1.1`,
        `Host: 127.0.0.1:${app.port}`,
      ]);
      assert.ok(status === 404 || status === 400, `${path}: ${status}`);
      assert.ok(!body.includes("import "), path);
    }
    for (const method of ["TRACE", "PROPFIND"]) {
      const { status } = await rawRequest(app, [
        `${method} /api/rooms HTTP/1.1`,
        `Host: 127.0.0.1:${app.port}`,
      ]);
      assert.ok(status === 405 || status === 401, `${method}: ${status}`);
    }
  },
);

securityCase(
  58,
  "errors of every kind",
  "no stack, SQL or path in the answer; no code or text in the log",
  async () => {
    const lines: string[] = [];
    await using logged = await startTestApp({ LOG_LEVEL: "debug" }, {
      start: { writeLog: (line) => void lines.push(line) },
    });
    const person = await signIn(logged, "alice");
    const room = await createRoom(person);
    await using socket = await connect(logged, person);
    await say(socket, room.id, "between-us-only");
    const answers = [
      await person.fetch("/api/rooms/%27"),
      await person.fetch(`/api/rooms/${room.id}/messages?before=x`),
      await postJson(logged, "/api/auth/verify-code", { username: 1 }),
      await fetch(`${logged.origin}/static/${"x".repeat(2_000)}`),
      await person.fetch("/api/rooms", {
        method: "POST",
        json: { name: room.name },
      }),
    ];
    for (const answer of answers) {
      const text = await answer.text();
      assert.ok(answer.status >= 400 && answer.status < 500, text);
      assert.ok(!/\bat \w+ \(|file:\/\/|select |node_modules/.test(text), text);
      assert.ok(answer.headers.get("server") === null);
    }
    const { code } = await expectJson<{ code: string }>(
      await postJson(logged, "/api/auth/request-code", { username: "bob" }),
      200,
    );
    const log = lines.join("\n");
    assert.ok(!log.includes("between-us-only"));
    assert.ok(!new RegExp(`\\b${code}\\b`).test(log));
  },
);
