/** A room's history over HTTP. */

import assert from "node:assert/strict";
import type {
  Message,
  MessagePage as Page,
} from "../../realtime/protocol/protocol.ts";
import { useTestApp } from "../helpers/app.ts";
import { connect } from "../helpers/client.ts";
import { createRoom, type Person, signIn } from "../helpers/people.ts";
import { expectProblem } from "./expect_problem.ts";

const app = useTestApp({ RATE_LIMIT_MESSAGES: "100000" });

let people = 0;

/** A room of one member with this many messages, and what its member saw live. */
async function roomWith(count: number): Promise<
  { alice: Person; path: string; live: Message[] }
> {
  const alice = await signIn(app, `messages_${people++}`);
  const room = await createRoom(alice);
  await using client = await connect(app, alice);
  await client.expect("rooms:sync", { rooms: [{ roomId: room.id }] });
  for (let i = 1; i <= count; i++) {
    await client.expect("message:send", {
      roomId: room.id,
      text: `message ${i}`,
      clientMsgId: crypto.randomUUID(),
    });
  }
  if (count > 0) await client.waitFor("message:new", (m) => m.seq === count);
  return {
    alice,
    path: `/api/rooms/${room.id}/messages`,
    live: client.all("message:new"),
  };
}

function seqs({ messages }: Page): number[] {
  return messages.map(({ seq }) => seq);
}

Deno.test("history shows messages exactly as they came live, oldest first", async () => {
  const { alice, path, live } = await roomWith(3);
  const page = await alice.getJson<Page>(path);
  assert.deepEqual(page, {
    ...{ messages: live, hasMore: false, lastRev: 0, epoch: page.epoch },
  });
});

Deno.test("an empty room has an empty history", async () => {
  const { alice, path } = await roomWith(0);
  const { messages, hasMore } = await alice.getJson<Page>(path);
  assert.deepEqual([messages, hasMore], [[], false]);
});

Deno.test("history is the newest 50 unless asked otherwise, and before= goes back", async () => {
  const { alice, path, live } = await roomWith(60);
  const newest = await alice.getJson<Page>(path);
  assert.deepEqual(newest.messages, live.slice(10));
  assert.equal(newest.hasMore, true);
  const older = await alice.getJson<Page>(
    `${path}?before=${newest.messages[0]?.messageId}`,
  );
  assert.deepEqual(
    [older.messages, older.hasMore],
    [live.slice(0, 10), false],
  );
});

Deno.test("before= and after= page through everything once, in both directions", async () => {
  const { alice, path, live } = await roomWith(11);
  const walk = async (direction: "before" | "after", from: string) => {
    const pages: number[][] = [];
    let cursor = from;
    for (let more = true; more;) {
      const page = await alice.getJson<Page>(
        `${path}?limit=4&${direction}=${cursor}`,
      );
      pages.push(seqs(page));
      more = page.hasMore;
      cursor = page.messages.at(direction === "before" ? 0 : -1)?.messageId ??
        "";
    }
    return pages;
  };
  assert.deepEqual(await walk("after", live[0]!.messageId), [
    [2, 3, 4, 5],
    [6, 7, 8, 9],
    [10, 11],
  ]);
  assert.deepEqual(await walk("before", live[10]!.messageId), [
    [7, 8, 9, 10],
    [3, 4, 5, 6],
    [1, 2],
  ]);
});

Deno.test("hasMore is false on a full last page", async () => {
  const { alice, path, live } = await roomWith(4);
  for (
    const query of [
      "limit=4",
      `limit=3&before=${live[3]!.messageId}`,
      `limit=3&after=${live[0]!.messageId}`,
    ]
  ) {
    assert.equal(
      (await alice.getJson<Page>(`${path}?${query}`)).hasMore,
      false,
    );
  }
  assert.equal((await alice.getJson<Page>(`${path}?limit=3`)).hasMore, true);
});

Deno.test("a cursor at the end gives an empty page", async () => {
  const { alice, path, live } = await roomWith(2);
  const [first, last] = live;
  for (
    const cursor of [`before=${first!.messageId}`, `after=${last!.messageId}`]
  ) {
    const page = await alice.getJson<Page>(`${path}?${cursor}`);
    assert.deepEqual([page.messages, page.hasMore], [[], false]);
  }
});

Deno.test("an unknown, foreign, malformed or doubled cursor is bad_cursor", async (t) => {
  const { alice, path, live } = await roomWith(1);
  const other = await roomWith(1);
  const own = live[0]!.messageId;
  const foreign = other.live[0]!.messageId;
  // The premise: the same cursor works in its own room.
  await other.alice.getJson(`${other.path}?before=${foreign}`);
  for (
    const query of [
      `before=${crypto.randomUUID()}`,
      `after=${crypto.randomUUID()}`,
      `before=${foreign}`,
      `after=${foreign}`,
      "before=1",
      "before=-1",
      "before=1e9",
      "before=",
      "before=%00",
      "before=' or 1=1 --",
      `before=${own}&before=${own}`,
      `before=${own}&after=${own}`,
    ]
  ) {
    await t.step(query, async () => {
      await expectProblem(await alice.fetch(`${path}?${query}`), "bad_cursor");
    });
  }
});

Deno.test("a limit that is no whole number from 1 to 100 is 400", async (t) => {
  const { alice, path } = await roomWith(1);
  await alice.getJson(`${path}?limit=100`);
  for (
    const limit of [
      "0",
      "101",
      "-1",
      "1e3",
      "0x10",
      "1.5",
      "",
      "NaN",
      "%20",
      "5&limit=6",
    ]
  ) {
    await t.step(limit, async () => {
      const { errors } = await expectProblem(
        await alice.fetch(`${path}?limit=${limit}`),
        "validation_failed",
      );
      assert.equal(errors?.[0]?.path, "limit");
    });
  }
});

Deno.test("unusual text is stored and read back as it was sent", async () => {
  const { alice, path } = await roomWith(0);
  const roomId = path.split("/")[3]!;
  const texts = [
    "<script>alert(1)</script>",
    "line\nbreak\tand tab",
    "👨‍👩‍👧‍👦 é e\u0301 مرحبا",
    "</script>\u2028\u2029.",
    `'; drop table messages; --`,
    "x".repeat(500),
  ];
  await using client = await connect(app, alice);
  for (const text of texts) {
    await client.expect("message:send", {
      roomId,
      text,
      clientMsgId: crypto.randomUUID(),
    });
  }
  const { messages } = await alice.getJson<Page>(path);
  assert.deepEqual(messages.map(({ text }) => text), texts);
});
