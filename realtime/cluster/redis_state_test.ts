/** What processes share in Redis: limits and mutes of messages, limits of events, who is online. */

import assert from "node:assert/strict";
import { openChat, redisTest, until } from "../../tests/realtime/redis_chat.ts";

const WINDOW = { messages: 3, windowMs: 60_000 };
const KEY = "user:room";

redisTest(
  "takeMessage() counts over all processes, each key apart, and takes back what did not count",
  async () => {
    await using chat = await openChat(2);
    const [a, b] = chat.processes.map(({ shared }) => shared) as [
      typeof chat.processes[0]["shared"],
      typeof chat.processes[0]["shared"],
    ];
    const take = async (shared: typeof a, id: string, key = KEY) =>
      (await shared.takeMessage(key, id, WINDOW)).kind;
    assert.deepEqual(
      await Promise.all([take(a, "1"), take(b, "2"), take(a, "3")]),
      ["free", "free", "free"],
    );
    assert.equal(await take(b, "4"), "full");
    assert.equal(await take(a, "4"), "full");
    assert.equal(await take(a, "4", "user:other room"), "free");
    assert.equal(await take(a, "4", "other:room"), "free");
    await b.refundMessage(KEY, "1");
    await b.refundMessage(KEY, "1");
    await b.refundMessage(KEY, "unknown");
    assert.equal(await take(a, "5"), "free");
    assert.equal(await take(b, "6"), "full");
  },
);

redisTest(
  "takeMessage() of many at once lets no more pass than the limit, the first of each process first",
  async () => {
    await using chat = await openChat(2);
    const kinds = await Promise.all(
      chat.processes.map(({ shared }) =>
        Promise.all(
          Array.from({ length: 300 }, async () =>
            (await shared.takeMessage(KEY, crypto.randomUUID(), {
              messages: 250,
              windowMs: 60_000,
            })).kind),
        )
      ),
    );
    assert.equal(kinds.flat().filter((kind) => kind === "free").length, 250);
    for (const own of kinds) {
      const free = own.filter((kind) => kind === "free").length;
      assert.ok(own.slice(0, free).every((kind) => kind === "free"));
    }
  },
);

redisTest(
  "takeMessage() lets messages pass again as those before them leave the window",
  async () => {
    await using chat = await openChat(1);
    const [{ shared }] = chat.processes;
    const window = { messages: 1, windowMs: 1_000 };
    assert.equal((await shared.takeMessage(KEY, "1", window)).kind, "free");
    assert.equal((await shared.takeMessage(KEY, "2", window)).kind, "full");
    await until(
      "there is room again",
      async () => (await shared.takeMessage(KEY, "3", window)).kind === "free",
    );
  },
);

redisTest(
  "mute() mutes in all processes until its end, begins once, and leaves the window empty",
  async () => {
    await using chat = await openChat(2);
    const [a, b] = chat.processes;
    for (const id of ["1", "2", "3"]) {
      await a.shared.takeMessage(KEY, id, WINDOW);
    }
    const before = Date.now();
    const mute = await a.shared.mute(KEY, 1_000);
    const after = Date.now();
    assert.equal(mute.isNew, true);
    assert.ok(mute.until >= before + 999 && mute.until <= after + 1_001);
    assert.deepEqual(await b.shared.mute(KEY, 9_000), {
      until: mute.until,
      isNew: false,
    });
    const muted = await b.shared.takeMessage(KEY, "4", WINDOW);
    assert.ok(muted.kind === "muted" && muted.until === mute.until);
    assert.ok(muted.leftMs > 0 && muted.leftMs <= 1_000);
    await until(
      "the mute is over",
      async () =>
        (await b.shared.takeMessage(KEY, "5", WINDOW)).kind === "free",
    );
    for (const id of ["6", "7"]) {
      assert.equal(
        (await b.shared.takeMessage(KEY, id, WINDOW)).kind,
        "free",
      );
    }
    assert.deepEqual(
      (await a.shared.mute("none", 0)).isNew,
      true,
      "a mute of no length",
    );
    assert.equal(
      (await a.shared.takeMessage("none", "1", WINDOW)).kind,
      "free",
    );
  },
);

redisTest(
  "countEvent() counts over all processes, says how long to wait, and takes back",
  async () => {
    await using chat = await openChat(2);
    const [a, b] = chat.processes;
    const limit = { limit: 2, windowMs: 1_000 };
    assert.equal(await a.shared.countEvent("key", limit), undefined);
    assert.equal(await b.shared.countEvent("key", limit), undefined);
    const wait = await a.shared.countEvent("key", limit);
    assert.ok(wait !== undefined && wait > 0 && wait <= 1_000);
    await b.shared.refundEvent("key");
    assert.equal(await a.shared.countEvent("key", limit), undefined);
    await a.shared.refundEvent("unknown");
    assert.equal(await a.shared.countEvent("unknown", limit), undefined);
    await until(
      "the window is over",
      async () => await a.shared.countEvent("key", limit) === undefined,
    );
  },
);

redisTest(
  "who is online is noted by process, as a whole or by changes",
  async () => {
    await using chat = await openChat(2);
    const [a, b] = chat.processes;
    const online = async () =>
      (await b.shared.listOnline(a.broker.processId)).sort();
    assert.equal(await a.shared.keepOnline(), 0);
    await a.shared.noteOnline({ online: ["anna", "bob"], offline: [] });
    assert.deepEqual(await online(), ["anna", "bob"]);
    await a.shared.noteOnline({ online: ["carol"], offline: ["anna", "x"] });
    assert.deepEqual(await online(), ["bob", "carol"]);
    assert.equal(await a.shared.keepOnline(), 2);
    const many = Array.from({ length: 20_000 }, () => crypto.randomUUID())
      .sort();
    await a.shared.replaceOnline(many);
    assert.deepEqual(await online(), many);
    await a.shared.noteOnline({ online: [], offline: many });
    assert.deepEqual(await online(), []);
    await a.shared.noteOnline({ online: ["anna"], offline: [] });
    await a.shared.replaceOnline([]);
    assert.deepEqual(await online(), []);
    assert.equal(await a.shared.keepOnline(), 0);
    assert.deepEqual(await a.shared.listOnline(b.broker.processId), []);
  },
);

redisTest(
  "who reads while a note is replaced sees the old one or the new one, and notes keep their order",
  async () => {
    await using chat = await openChat(2);
    const [a, b] = chat.processes;
    const { processId } = a.broker;
    await a.shared.replaceOnline(["anna"]);
    const changes: Promise<void>[] = [];
    for (let n = 0; n < 200; n++) {
      changes.push(a.shared.replaceOnline(["anna", `user ${n}`]));
      changes.push(
        a.shared.noteOnline({ online: ["last"], offline: [`user ${n}`] }),
      );
      const seen = await b.shared.listOnline(processId);
      assert.ok(seen.includes("anna"), `${seen}`);
    }
    await Promise.all(changes);
    assert.deepEqual((await b.shared.listOnline(processId)).sort(), [
      "anna",
      "last",
    ]);
  },
);

redisTest(
  "noteSockets() gives what the named others have noted, until it is none",
  async () => {
    await using chat = await openChat(2);
    const [a, b] = chat.processes;
    const { processId: idA } = a.broker;
    const { processId: idB } = b.broker;
    assert.equal(await a.shared.noteSockets(KEY, 3, [idB]), 0);
    assert.equal(await b.shared.noteSockets(KEY, 2, [idA, "unknown"]), 3);
    assert.equal(await a.shared.noteSockets(KEY, 4, [idB]), 2);
    assert.equal(await a.shared.noteSockets(KEY, 4, []), 0);
    assert.equal(await a.shared.noteSockets("other", 4, [idB]), 0);
    await b.shared.noteSockets(KEY, 0, []);
    assert.equal(await a.shared.noteSockets(KEY, 4, [idB]), 0);
  },
);
