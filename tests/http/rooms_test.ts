/** Rooms over HTTP. */

import assert from "node:assert/strict";
import { useTestApp } from "../helpers/app.ts";
import { connect } from "../helpers/client.ts";
import { createRoom, expectJson, type Room } from "../helpers/people.ts";
import { expectProblem } from "./expect_problem.ts";
import { allPages, allRooms, create, stranger } from "./room_calls.ts";

const app = useTestApp({ RATE_LIMIT_MESSAGES: "1000" });

const NO_ROOM = "6f1d6c1e-9a0f-4a0e-9f43-0d6f0a1b2c3d";
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

Deno.test("POST /api/rooms makes a room with its creator as a member", async () => {
  const alice = await stranger(app);
  const answer = await create(alice, "  Tea & Coffee  ");
  const location = answer.headers.get("location");
  const room = await expectJson<Room>(answer, 201);
  assert.equal(location, `/api/rooms/${room.id}`);
  assert.match(room.createdAt, ISO);
  assert.deepEqual(room, {
    id: room.id,
    name: "Tea & Coffee",
    createdAt: room.createdAt,
    createdBy: alice.user,
    memberCount: 1,
    isMember: true,
    joinedAt: room.createdAt,
    lastSeenAt: room.createdAt,
    lastSeq: 0,
    lastRev: 0,
    epoch: room.epoch,
    lastReadSeq: 0,
    unreadCount: 0,
  });
  assert.match(room.epoch, /^[0-9a-f-]{36}$/);
  assert.deepEqual(await alice.getJson(location ?? ""), room);
});

Deno.test("a room's name is unique without regard to case, and a refused one stores nothing", async () => {
  const alice = await stranger(app);
  await createRoom(alice, "Zeppelin");
  for (
    const name of ["zeppelin", " ZEPPELIN ", "Ｚeppelin", "Zeppelin\ufe0f"]
  ) {
    await expectProblem(await create(alice, name), "room_name_taken");
  }
  assert.equal((await allRooms(alice, "&q=zeppelin")).length, 1);
  assert.equal((await alice.getJson<Room[]>("/api/rooms")).length, 1);
});

Deno.test("of ten rooms of one name made at once, one is made", async () => {
  const alice = await stranger(app);
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => create(alice, "Race")),
  );
  const statuses = answers.map(({ status }) => status).sort();
  for (const answer of answers) await answer.body?.cancel();
  assert.deepEqual(statuses, [201, ...Array(9).fill(409)]);
});

Deno.test("a bad name is 400 and stores nothing", async () => {
  const alice = await stranger(app);
  const before = (await allRooms(alice)).length;
  for (
    const name of [
      "ab",
      "  a  ",
      "x".repeat(41),
      "evil\u202ename",
      "zero\u200bwidth",
      "lone \ud800 half",
      "null\0byte",
      undefined,
      null,
      7,
      ["a room"],
      {},
    ]
  ) {
    const { errors } = await expectProblem(
      await create(alice, name),
      "validation_failed",
    );
    assert.equal(errors?.[0]?.path, "name");
  }
  assert.equal((await allRooms(alice)).length, before);
});

Deno.test("a name's markup and SQL come back as they were given", async () => {
  const alice = await stranger(app);
  for (
    const name of [
      "<script>alert(1)</script>",
      `'; drop table rooms; --`,
      "%_\\",
    ]
  ) {
    assert.equal((await createRoom(alice, name)).name, name);
  }
});

Deno.test("GET /api/rooms lists the caller's rooms, most recently active first", async () => {
  const [alice, bob] = [await stranger(app), await stranger(app)];
  const first = await createRoom(alice);
  const second = await createRoom(alice);
  await createRoom(bob);
  const ids = async () =>
    (await alice.getJson<Room[]>("/api/rooms")).map(({ id }) => id);
  assert.deepEqual(await ids(), [second.id, first.id]);
  await using client = await connect(app, alice);
  await client.expect("message:send", {
    roomId: first.id,
    text: "up again",
    clientMsgId: crypto.randomUUID(),
  });
  assert.deepEqual(await ids(), [first.id, second.id]);
});

Deno.test("the Link header pages through the caller's rooms, each once", async () => {
  const [alice, bob] = [await stranger(app), await stranger(app)];
  const own: string[] = [];
  for (let n = 0; n < 5; n++) own.unshift((await createRoom(alice)).id);
  await createRoom(bob);
  const pages = await allPages<Room>(alice, "/api/rooms?limit=2");
  assert.deepEqual(pages.map((page) => page.length), [2, 2, 1]);
  assert.deepEqual(pages.flat().map(({ id }) => id), own);
  for (const query of ["limit=101", "limit=0"]) {
    const answer = await alice.fetch(`/api/rooms?${query}`);
    await expectProblem(answer, "validation_failed");
  }
});

Deno.test("GET /api/rooms?all=true shows every room, without the member's fields where not a member", async () => {
  const [alice, bob] = [await stranger(app), await stranger(app)];
  const room = await createRoom(alice);
  const seen = (await allRooms(bob)).find(({ id }) => id === room.id);
  assert.deepEqual(seen, {
    id: room.id,
    name: room.name,
    createdAt: room.createdAt,
    createdBy: alice.user,
    memberCount: 1,
    isMember: false,
    lastSeq: 0,
    lastRev: 0,
    epoch: room.epoch,
  });
  assert.deepEqual(await bob.getJson(`/api/rooms/${room.id}`), seen);
});

Deno.test("q finds names to the letter but for case", async () => {
  const alice = await stranger(app);
  await createRoom(alice, "100% Wool_Socks");
  const names = async (q: string) =>
    (await allRooms(alice, `&q=${encodeURIComponent(q)}`)).map(({ name }) =>
      name
    );
  for (const q of ["100% wool_s", "WOOL_SOCKS", "% w"]) {
    assert.deepEqual(await names(q), ["100% Wool_Socks"], q);
  }
  for (const q of ["100_ wool", "wool%socks", "' or 1=1 --", "\\"]) {
    assert.ok(!(await names(q)).includes("100% Wool_Socks"), q);
  }
});

Deno.test("the Link header pages through all rooms, each once", async () => {
  const alice = await stranger(app);
  for (let i = 0; i < 7; i++) await createRoom(alice, `Paged ${i}`);
  const whole = (await allRooms(alice, "&q=paged")).map(({ id }) => id);
  const pages = await allPages<Room>(
    alice,
    "/api/rooms?all=true&q=paged&limit=3",
  );
  assert.deepEqual(pages.map((page) => page.length), [3, 3, 1]);
  assert.deepEqual(pages.flat().map(({ id }) => id), whole);
});

Deno.test("the last page has no Link header, also when it is full", async () => {
  const alice = await stranger(app);
  for (let i = 0; i < 4; i++) await createRoom(alice, `Exact ${i}`);
  const first = await alice.fetch("/api/rooms?all=true&q=exact&limit=2");
  const next = /^<(.*)>/.exec(first.headers.get("link") ?? "")?.[1] ?? "";
  await first.body?.cancel();
  const last = await alice.fetch(next);
  assert.equal((await expectJson<Room[]>(last, 200)).length, 2);
  assert.equal(last.headers.get("link"), null);
});

Deno.test("a bad list query is 400", async () => {
  const alice = await stranger(app);
  for (
    const query of [
      "limit=0",
      "limit=101",
      "limit=-1",
      "limit=1e1",
      "limit=0x10",
      "limit=1.5",
      "limit=",
      "limit=5&limit=6",
      "all=yes",
      "q=a%00b",
      "q=a&q=b",
    ]
  ) {
    await expectProblem(
      await alice.fetch(`/api/rooms?all=true&${query}`),
      "validation_failed",
    );
  }
  for (const cursor of ["x", "WzEsMl0", "", "%00"]) {
    await expectProblem(
      await alice.fetch(`/api/rooms?all=true&cursor=${cursor}`),
      "bad_cursor",
    );
  }
});

const ROOM_PATHS: readonly (readonly [string, string, unknown?])[] = [
  ["GET", ""],
  ["POST", "/join"],
  ["POST", "/leave"],
  ["GET", "/members"],
  ["GET", "/messages"],
  ["POST", "/read", { lastSeq: 1 }],
];

Deno.test("a room that does not exist is 404 on every path, an id that is no UUID too", async (t) => {
  const alice = await stranger(app);
  for (const [method, path, json] of ROOM_PATHS) {
    for (const id of [NO_ROOM, "7", "no-uuid", `${NO_ROOM}0`, "%00", "'--"]) {
      await t.step(`${method} /${id}${path}`, async () => {
        const answer = await alice.fetch(`/api/rooms/${id}${path}`, {
          method,
          json,
        });
        await expectProblem(answer, "room_not_found");
      });
    }
  }
});

Deno.test("an outsider may join and read the room itself, and nothing more", async (t) => {
  const [alice, eve] = [await stranger(app), await stranger(app)];
  const { id } = await createRoom(alice);
  // The premise: these paths answer a member.
  for (const path of ["/members", "/messages"]) {
    await alice.getJson(`/api/rooms/${id}${path}`);
  }
  for (const [method, path, json] of ROOM_PATHS) {
    if (path === "" || path === "/join") continue;
    await t.step(`${method} ${path}`, async () => {
      const answer = await eve.fetch(`/api/rooms/${id}${path}`, {
        method,
        json,
      });
      await expectProblem(answer, "not_a_member");
    });
  }
});

Deno.test("every room path is 401 without a session", async (t) => {
  const alice = await stranger(app);
  const { id, memberCount } = await createRoom(alice);
  const paths = [
    ["GET", "/api/rooms"],
    ["POST", "/api/rooms", { name: "Nobody's" }],
    ...ROOM_PATHS.map(([method, path, json]) =>
      [method, `/api/rooms/${id}${path}`, json] as const
    ),
  ] as const;
  for (const [method, path, json] of paths) {
    await t.step(`${method} ${path.replace(id, ":id")}`, async () => {
      const answer = await fetch(app.origin + path, {
        method,
        headers: { "content-type": "application/json" },
        ...(method === "POST" ? { body: JSON.stringify(json ?? {}) } : {}),
      });
      await expectProblem(answer, "unauthorized");
    });
  }
  assert.deepEqual(await allRooms(alice, "&q=nobody"), []);
  const room = await alice.getJson<Room>(`/api/rooms/${id}`);
  assert.equal(room.memberCount, memberCount);
});
