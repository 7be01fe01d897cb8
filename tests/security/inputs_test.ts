/** Checklist: what people, and programs that pretend to be people, may write. */

import assert from "node:assert/strict";
import { linkify } from "../../islands/text/linkify.ts";
import { shownAddress } from "../../islands/text/shown_address.ts";
import { MessageRateLimit } from "../../realtime/messages/rate_limit.ts";
import { WindowCounter } from "../../routes/middleware/window_counter.ts";
import { useTestApp } from "../helpers/app.ts";
import { createRoom, expectJson, postJson } from "../helpers/people.ts";
import { expectProblem } from "../http/expect_problem.ts";
import { expectTook, stopwatch } from "../helpers/timing.ts";
import {
  createRoomWithMembers,
  newPerson,
  say,
  send,
} from "../helpers/rooms.ts";
import { securityCase } from "./case.ts";

const app = useTestApp({ RATE_LIMIT_MESSAGES: "1000" });

securityCase(
  16,
  "__proto__ and constructor.prototype as keys",
  "ignored; nothing is polluted",
  async () => {
    const person = await newPerson(app);
    const answer = await person.fetch("/api/rooms", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body:
        '{"name":"Room sixteen","__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}}}',
    });
    const room = await expectJson<Record<string, unknown>>(answer, 201);
    assert.equal(room.admin, undefined);
    assert.equal(({} as { admin?: boolean }).admin, undefined);
  },
);

securityCase(
  17,
  "userId, seq and createdAt in a message",
  "ignored: author, number and time are the server's",
  async () => {
    await using chat = await createRoomWithMembers(app, 2);
    const [{ person, socket }, other] = chat.members;
    const extra = { userId: other.person.user.id, seq: 99, createdAt: "2001" };
    await send(socket, chat.room.id, extra as never);
    const message = await other.socket.waitFor("message:new");
    assert.equal(message.sender.id, person.user.id);
    assert.equal(message.seq, 1);
  },
);

securityCase(
  18,
  "text as number, list, object, null, boolean",
  "bad_request, the socket stays",
  async () => {
    await using chat = await createRoomWithMembers(app);
    const [{ socket }] = chat.members;
    for (const text of [1, [], {}, null, true]) {
      const ack = await send(socket, chat.room.id, { text: text as never });
      assert.ok(!ack.success && ack.code === "bad_request", String(text));
    }
    await say(socket, chat.room.id);
  },
);

securityCase(19, "bidirectional controls in a room's name", "400", async () => {
  const person = await newPerson(app);
  for (const name of ["abc\u202e", "a\u2066bc", "abc\u2069", "ab\u200fc"]) {
    const answer = await person.fetch("/api/rooms", {
      method: "POST",
      json: { name },
    });
    await expectProblem(answer, "validation_failed");
  }
});

securityCase(
  20,
  "look-alikes and hidden characters in a username; another case",
  "400; the same user",
  async () => {
    for (const username of ["аdmin", "ad\u200bmin", "admin\u0000", "ａdmin"]) {
      const answer = await postJson(app, "/api/auth/request-code", {
        username,
      });
      await expectProblem(answer, "validation_failed");
    }
  },
);

securityCase(
  21,
  "five hundred combining marks on one letter",
  "stored as it is: the length is capped",
  async () => {
    await using chat = await createRoomWithMembers(app);
    const [{ socket }] = chat.members;
    await say(socket, chat.room.id, "a" + "\u0301".repeat(499));
    const ack = await send(socket, chat.room.id, {
      text: "a" + "\u0301".repeat(500),
    });
    assert.ok(!ack.success);
  },
);

securityCase(
  22,
  "NUL in a text; control characters in names",
  "refused; no line is forged in the log",
  async () => {
    await using chat = await createRoomWithMembers(app);
    const [{ person, socket }] = chat.members;
    const ack = await send(socket, chat.room.id, { text: "a\0b" });
    assert.ok(!ack.success);
    for (const name of ["room\r\nfake line", "ro\u0007om", "room\u0000"]) {
      const answer = await person.fetch("/api/rooms", {
        method: "POST",
        json: { name },
      });
      await expectProblem(answer, "validation_failed");
    }
  },
);

securityCase(23, "half of a surrogate pair", "refused", async () => {
  await using chat = await createRoomWithMembers(app);
  for (const text of ["\ud800", "a\udfffb"]) {
    const ack = await send(chat.members[0].socket, chat.room.id, { text });
    assert.ok(!ack.success, JSON.stringify(text));
  }
});

securityCase(
  24,
  "only white space, U+3164, U+200B",
  "refused as empty",
  async () => {
    await using chat = await createRoomWithMembers(app);
    for (const text of ["", "  \n\t ", "\u3164", "\u200b"]) {
      const ack = await send(chat.members[0].socket, chat.room.id, { text });
      assert.ok(!ack.success && /empty/.test(ack.error), JSON.stringify(text));
    }
  },
);

securityCase(
  25,
  "500 and 501 code points, in letters and in emoji",
  "accepted; refused",
  async () => {
    await using chat = await createRoomWithMembers(app);
    const [{ socket }] = chat.members;
    for (const unit of ["x", "😀", "\u200d"]) {
      const long = "a" + unit.repeat(498) + "z";
      assert.ok(
        (await send(socket, chat.room.id, { text: long })).success,
        unit,
      );
      const longer = await send(socket, chat.room.id, { text: `${long}!` });
      assert.ok(!longer.success, unit);
    }
  },
);

securityCase(
  26,
  "SQL and LIKE patterns in search, ids and cursors",
  "taken literally, 400 or 404; never a 500",
  async () => {
    const person = await newPerson(app);
    await createRoom(person, "Literal 100% _match_");
    for (const q of ["' OR 1=1--", '"; DROP TABLE rooms', "\\", "%%%", "___"]) {
      const path = `/api/rooms?all=true&q=${encodeURIComponent(q)}`;
      assert.deepEqual(await person.getJson(path), [], q);
    }
    const found = await person.getJson<unknown[]>(
      "/api/rooms?all=true&q=100%25%20_m",
    );
    assert.equal(found.length, 1);
    const id = encodeURIComponent("' OR '1'='1");
    await expectProblem(
      await person.fetch(`/api/rooms/${id}`),
      "room_not_found",
    );
    const cursor = `/api/rooms?all=true&cursor=${id}`;
    await expectProblem(await person.fetch(cursor), "bad_cursor");
  },
);

securityCase(27, "limit 0, -1, 1e9, NaN, 1e3, 0x10, twice", "400", async () => {
  const person = await newPerson(app);
  for (
    const limit of [
      "0",
      "-1",
      "1000000000",
      "NaN",
      "1e3",
      "0x10",
      "5&limit=9",
      "101",
      "",
    ]
  ) {
    const answer = await person.fetch(`/api/rooms?all=true&limit=${limit}`);
    if (limit === "5&limit=9") {
      assert.ok(answer.status === 400 || answer.status === 200);
      const rows = answer.status === 200 ? await answer.json() : [];
      assert.ok(rows.length <= 5, "bounded");
      continue;
    }
    await expectProblem(answer, "validation_failed");
  }
});

securityCase(
  28,
  "a cursor that is a number, unknown, or of another room",
  "400 bad_cursor",
  async () => {
    await using chat = await createRoomWithMembers(app);
    const [{ person, socket }] = chat.members;
    const { messageId } = await say(socket, chat.room.id);
    const second = await createRoom(person);
    for (const before of ["-1", "1.5", "9".repeat(30), crypto.randomUUID()]) {
      const path = `/api/rooms/${chat.room.id}/messages?before=${before}`;
      await expectProblem(await person.fetch(path), "bad_cursor");
    }
    const foreign = `/api/rooms/${second.id}/messages?before=${messageId}`;
    await expectProblem(await person.fetch(foreign), "bad_cursor");
  },
);

/** Markup that must come out as text wherever it is shown. */
const MARKUP =
  `</script><script>alert(1)</script><img src=x onerror=alert(1)>"'&`;

securityCase(
  29,
  "markup in a room's name and in a message; javascript: and data: links",
  "shown as text; no link",
  async () => {
    await using chat = await createRoomWithMembers(app);
    const [{ person, socket }] = chat.members;
    const room = await createRoom(person, "<b onclick=x>\"'&</b></title>");
    await socket.expect("room:join", { roomId: room.id });
    await say(socket, room.id, MARKUP);
    const headers = { cookie: person.cookie };
    const page = await fetch(`${app.origin}/rooms/${room.id}`, { headers });
    const html = await page.text();
    assert.equal(page.status, 200);
    assert.ok(html.includes("&lt;"), "the premise: it is shown");
    for (
      const mark of [
        "<script>alert",
        "<img src=x",
        "<b onclick",
        "</b></title>",
      ]
    ) {
      assert.equal(html.split(mark).length - 1, 0, mark);
    }
    for (
      const text of ["javascript:alert(1)", "data:text/html,x", "vbscript:x"]
    ) {
      assert.ok(
        linkify(text, shownAddress).every(({ href }) => href === undefined),
        text,
      );
    }
  },
);

securityCase(
  30,
  "</script> and U+2028 in a message that the page brings along",
  "the page is whole",
  async () => {
    await using chat = await createRoomWithMembers(app);
    const [{ person, socket }] = chat.members;
    const text = `${MARKUP}\u2028end-mark`;
    await say(socket, chat.room.id, text);
    const headers = { cookie: person.cookie };
    const page = await fetch(`${app.origin}/rooms/${chat.room.id}`, {
      headers,
    });
    const html = await page.text();
    const props = /data-props="([^"]*)"/.exec(html)?.[1] ?? "";
    const decoded = props.replaceAll("&quot;", '"').replaceAll("&#39;", "'")
      .replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
    assert.ok(JSON.stringify(JSON.parse(decoded)).includes("end-mark"));
    assert.ok(html.trimEnd().endsWith("</html>"));
  },
);

securityCase(
  52,
  "the same message id again; by another user; as no UUID",
  "the first answer; a message of its own; refused",
  async () => {
    await using chat = await createRoomWithMembers(app, 2);
    const [one, two] = chat.members;
    const clientMsgId = crypto.randomUUID();
    const first = await send(one.socket, chat.room.id, { clientMsgId });
    const again = await send(one.socket, chat.room.id, { clientMsgId });
    assert.ok(first.success && again.success && again.isDuplicate);
    assert.equal(again.messageId, first.messageId);
    const other = await send(two.socket, chat.room.id, { clientMsgId });
    assert.ok(other.success && other.messageId !== first.messageId);
    for (const bad of ["", "x".repeat(10_000), 7, null]) {
      const ack = await send(one.socket, chat.room.id, {
        clientMsgId: bad as string,
      });
      assert.ok(!ack.success);
    }
  },
);

securityCase(
  53,
  "a hundred sends of one id at once",
  "one message",
  async () => {
    await using chat = await createRoomWithMembers(app);
    const [{ person, socket }] = chat.members;
    const clientMsgId = crypto.randomUUID();
    const acks = await Promise.all(Array.from(
      { length: 100 },
      () => send(socket, chat.room.id, { clientMsgId }),
    ));
    const ids = acks.map((ack) => ack.success && ack.messageId);
    assert.equal(new Set(ids).size, 1);
    const path = `/api/rooms/${chat.room.id}/messages`;
    const { messages } = await person.getJson<{ messages: unknown[] }>(path);
    assert.equal(messages.length, 1);
  },
);

securityCase(
  59,
  "fifty kilobytes of brackets, at signs and half links",
  "linkified in linear time",
  async () => {
    const linkifying = stopwatch();
    for (
      const unit of [
        "(",
        "[](",
        "@",
        "http://",
        "https://a.b/(",
        "mailto:",
        "http://a)",
      ]
    ) {
      linkify(unit.repeat(50_000 / unit.length), shownAddress);
    }
    expectTook("linkifying", linkifying(), 2_000);
    await Promise.resolve();
  },
);

securityCase(
  60,
  "a million keys in a limit",
  "old ones are dropped",
  async () => {
    const limit = { limit: 5, windowMs: 60_000 };
    const counter = new WindowCounter(limit, () => 0, 1_000);
    for (let n = 0; n < 1_000_000; n++) counter.consume(`key ${n}`);
    assert.ok(counter.size <= 1_000);
    assert.ok(
      MessageRateLimit,
      "rooms' limits are swept by time, see its tests",
    );
    await Promise.resolve();
  },
);
