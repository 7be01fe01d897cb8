import assert from "node:assert/strict";
import { effect } from "@preact/signals";
import type {
  ClientEvents,
  Message,
} from "../../realtime/protocol/protocol.ts";
import { createApi, type MessagePage, type Room } from "./api.ts";
import { ChatClient } from "./chat_client.ts";
import { FakeClock, FakeNetwork, message, settle } from "./fakes.ts";
import { createRoom, joinRoom } from "./membership/membership.ts";
import { MemoryStorage } from "./storage/storage.ts";

const me = { id: "me", username: "me" };

function room(id: string, more: Partial<Room> = {}): Room {
  return {
    id,
    name: id,
    createdAt: "2026-01-01T00:00:00.000Z",
    createdBy: me,
    memberCount: 2,
    isMember: true,
    lastSeq: 0,
    lastRev: 0,
    epoch: "",
    unreadCount: 0,
    ...more,
  };
}

/** A client, the lines it opens, and a REST API that answers from `answers` by method and path. */
function setUp(
  { rooms = [room("room")], opened, storage = new MemoryStorage(), ...more }: {
    rooms?: Room[];
    hasAllRooms?: boolean;
    opened?: { roomId: string; page: MessagePage };
    storage?: MemoryStorage;
  } = {},
) {
  const clock = new FakeClock();
  const network = new FakeNetwork();
  const answers: Record<string, unknown> = {};
  let ids = 0;
  const client = new ChatClient({
    user: me,
    ...more,
    rooms,
    opened,
    storage,
    clock,
    open: network.open,
    api: createApi({
      base: "",
      fetch: (path, init) => {
        const answer = answers[`${init?.method} ${path}`];
        return Promise.resolve(
          answer === undefined
            ? Response.json({ code: "room_not_found", detail: "" }, {
              status: 404,
            })
            : Response.json(answer),
        );
      },
    }),
    random: () => 0,
    newId: () => `mine-${++ids}`,
  });
  /** Opens the newest line and accepts its sync, with nothing new. */
  const accept = async () => {
    network.last.open();
    await settle();
    const { rooms } = network.last.named("rooms:sync").at(-1)
      ?.data as ClientEvents["rooms:sync"];
    network.last.ack("rooms:sync", {
      results: rooms.map(({ roomId, lastSeq }) => ({
        roomId,
        synced: true,
        hasMore: false,
        lastSeq,
      })),
    });
    await settle();
  };
  return { clock, network, answers, client, storage, accept };
}

async function setUpLive(options: Parameters<typeof setUp>[0] = {}) {
  const parts = setUp(options);
  parts.client.connection.start();
  await parts.accept();
  return parts;
}

const push = (network: FakeNetwork, ...messages: Message[]) =>
  network.last.push(
    ...messages.map((data) => ({ event: "message:new", data } as const)),
  );

Deno.test("the first sync lists all rooms with the positions the page was made at", async () => {
  const { network } = await setUpLive({
    rooms: [room("room", { lastSeq: 3 }), room("quiet", { lastSeq: 9 })],
    opened: {
      roomId: "room",
      page: {
        messages: [message(2), message(3)],
        hasMore: true,
        lastRev: 0,
        epoch: "",
      },
    },
  });
  const asked = network.last.named("rooms:sync")[0]?.data.rooms;
  const positions = Object.fromEntries(
    asked?.map(({ roomId, lastSeq }) => [roomId, lastSeq]) ?? [],
  );
  assert.deepEqual(positions, { room: 3, quiet: 9 });
});

Deno.test("a sent message is pending at once, and one message when the feed and the ack bring it", async () => {
  const { network, client } = await setUpLive();
  client.send("room", "  hello ");
  const [pending] = client.outbox.entries("room");
  assert.equal(pending?.text, "hello");
  await settle();
  push(
    network,
    message(1, { sender: me, clientMsgId: "mine-1", text: "hello" }),
  );
  assert.deepEqual(client.outbox.entries("room"), []);
  network.last.ack("message:send", {
    messageId: "message-1",
    seq: 1,
    createdAt: "",
  });
  await settle();
  assert.equal(client.rooms.get("room")?.store.messages.length, 1);
});

Deno.test("an ack that comes before the feed shows the message; the feed does not repeat it", async () => {
  const { network, client } = await setUpLive();
  client.send("room", "hello");
  await settle();
  const createdAt = "2026-01-01T00:00:00.000Z";
  network.last.ack("message:send", {
    messageId: "message-1",
    seq: 1,
    createdAt,
    isDuplicate: true,
  });
  await settle();
  push(network, message(1, { sender: me, clientMsgId: "mine-1" }));
  assert.deepEqual(
    client.rooms.get("room")?.store.messages.map(({ text }) => text),
    ["hello"],
  );
  assert.deepEqual(client.outbox.entries("room"), []);
});

Deno.test("own messages whose acks overtake the feed stay visible, once each, until it has caught up", async () => {
  const { client, network } = await setUpLive();
  for (const [seq, text] of [[2, "two"], [3, "three"]] as const) {
    client.send("room", text);
    await settle();
    const { createdAt, messageId } = message(seq);
    network.last.ack("message:send", { messageId, seq, createdAt });
    await settle();
  }
  const shown = () =>
    client.outbox.entries("room").map(({ text, isSent }) => [text, isSent]);
  assert.deepEqual(shown(), [["two", true], ["three", true]]);
  network.last.push({ event: "message:new", data: message(1) });
  assert.deepEqual(shown(), []);
  assert.equal(client.rooms.get("room")?.store.messages.length, 3);
});

Deno.test("messages missed while away are asked for from the position, then the outbox is sent", async () => {
  const { clock, network, client, accept } = await setUpLive();
  push(network, message(1), message(2));
  network.last.drop();
  client.send("room", "written offline");
  await clock.advance(1000);
  network.last.open();
  await settle();
  assert.equal(network.last.named("rooms:sync")[0]?.data.rooms[0]?.lastSeq, 2);
  assert.equal(
    network.last.named("message:send").length,
    0,
    "not before the sync is accepted",
  );
  push(network, message(3));
  await accept();
  assert.equal(network.last.named("message:send").length, 1);
  assert.equal(client.rooms.get("room")?.store.position, 3);
});

Deno.test("a jump in the numbers asks for what is missing", async () => {
  const { network, client } = await setUpLive();
  push(network, message(1), message(3));
  const ask = network.last.named("rooms:sync").at(-1);
  assert.equal(ask?.data.rooms[0]?.lastSeq, 1);
  push(network, message(2));
  network.last.ack("rooms:sync", {
    results: [{ roomId: "room", synced: true, hasMore: false, lastSeq: 3 }],
  });
  await settle();
  const state = client.rooms.get("room");
  assert.deepEqual(state?.store.messages.map(({ seq }) => seq), [1, 2, 3]);
});

Deno.test("the unread count follows others' messages and reading on any device", async () => {
  const { network, client } = await setUpLive();
  push(network, message(1), message(2, { sender: me }), message(3));
  assert.equal(client.rooms.get("room")?.unread, 2);
  network.last.push({
    event: "room:read",
    data: { roomId: "room", lastSeq: 2 },
  });
  assert.equal(client.rooms.get("room")?.unread, 1);
  client.markRead("room");
  client.markRead("room");
  assert.equal(client.unread, 0);
  assert.deepEqual(network.last.named("room:read").map(({ data }) => data), [{
    roomId: "room",
    lastSeq: 3,
  }]);
});

Deno.test("the unread line stands before the oldest unread message of others", async () => {
  const { network, client } = await setUpLive();
  push(network, message(1));
  client.markRead("room");
  push(network, message(2, { sender: me }), message(3), message(4));
  assert.equal(client.rooms.get("room")?.firstUnreadSeq(me), 3);
});

Deno.test("a mute is counted from the server's own times, whatever our clock says", async () => {
  const { clock, network, client } = await setUpLive();
  client.send("room", "too much");
  await settle();
  network.last.push({
    event: "room:system",
    data: {
      type: "muted",
      roomId: "room",
      user: me,
      createdAt: "2030-01-01T00:00:00.000Z",
      until: "2030-01-01T00:00:30.000Z",
    },
  });
  network.last.refuse("message:send", "muted", {
    mutedUntil: "2030-01-01T00:00:30.000Z",
  });
  await settle();
  network.last.answersPings = true;
  await clock.advance(29_000);
  assert.equal(network.last.named("message:send").length, 1);
  await clock.advance(1000);
  assert.equal(network.last.named("message:send").length, 2);
});

Deno.test("a mute ends in time also when our clock is set back meanwhile", async () => {
  const { clock, network, client } = await setUpLive();
  client.send("room", "too much");
  await settle();
  network.last.refuse("message:send", "muted", {
    mutedUntil: new Date(clock.date() + 30_000).toISOString(),
  });
  await settle();
  network.last.answersPings = true;
  clock.step = -3_600_000;
  await clock.advance(30_000);
  assert.equal(network.last.named("message:send").length, 2);
  const { mutedUntil = Infinity } = client.rooms.get("room") ?? {};
  assert.ok(
    mutedUntil <= client.clock.now(),
    "the page counts down to nothing",
  );
});

Deno.test("a room joined in another tab appears when its first event comes", async () => {
  const { network, client, answers } = await setUpLive();
  answers["GET /rooms"] = [room("room"), room("new", { lastSeq: 1 })];
  push(network, message(1, { roomId: "new" }));
  await settle();
  assert.ok(client.rooms.get("new"));
  assert.equal(
    network.last.named("rooms:sync").at(-1)?.data.rooms[0]?.roomId,
    "new",
  );
});

Deno.test("rooms that the page came without are read once the line is live", async () => {
  const { network, client, answers } = setUp({ hasAllRooms: false });
  answers["GET /rooms"] = [room("room"), room("other")];
  client.connection.start();
  network.last.open();
  await settle();
  assert.equal(client.rooms.get("other"), undefined);
  const results = [{ roomId: "room", synced: true, lastSeq: 0 }];
  network.last.ack("rooms:sync", { results });
  await settle();
  assert.deepEqual(client.rooms.list.map((state) => state.room.id), [
    "room",
    "other",
  ]);
});

Deno.test("entering a room is noticed by the other tabs", async () => {
  const storage = new MemoryStorage();
  const here = await setUpLive({ storage });
  const there = await setUpLive({ storage });
  here.answers["POST /rooms/new/join"] = room("new");
  there.answers["GET /rooms"] = [room("room"), room("new")];
  await joinRoom(here.client, "new");
  assert.ok(here.client.rooms.get("new"));
  there.client.storageChanged("chatket_rooms_changed");
  await settle();
  assert.ok(there.client.rooms.get("new"));
  assert.ok(storage.getItem("chatket_rooms_changed"));
});

Deno.test("a room the server no longer counts us in disappears", async () => {
  const { network, client } = setUp({ rooms: [room("room"), room("left")] });
  client.connection.start();
  network.last.open();
  await settle();
  network.last.ack("rooms:sync", {
    results: [{ roomId: "room", synced: true, hasMore: false, lastSeq: 0 }, {
      roomId: "left",
      synced: false,
    }],
  });
  await settle();
  assert.deepEqual(client.rooms.list.map((state) => state.room.id), ["room"]);
  assert.equal(client.connection.state.phase, "live");
});

Deno.test("a history that was reset is loaded anew", async () => {
  const { network, client, answers } = setUp({
    rooms: [room("room", { lastSeq: 40 })],
    opened: {
      roomId: "room",
      page: {
        messages: [message(39), message(40)],
        hasMore: true,
        lastRev: 0,
        epoch: "",
      },
    },
  });
  answers["GET /rooms/room/messages?limit=50"] = {
    messages: [message(1, { messageId: "restored" })],
    hasMore: false,
  };
  client.connection.start();
  network.last.open();
  await settle();
  network.last.ack("rooms:sync", {
    results: [{
      roomId: "room",
      synced: true,
      reset: true,
      hasMore: false,
      lastSeq: 1,
    }],
  });
  await settle();
  assert.equal(
    network.last.named("rooms:sync").at(-1)?.data.rooms[0]?.lastSeq,
    1,
  );
  const ids = client.rooms.get("room")?.store.messages.map(({ messageId }) =>
    messageId
  );
  assert.deepEqual(ids, ["restored"]);
  const notices = client.rooms.get("room")?.notices;
  assert.deepEqual(
    notices?.map(({ type, afterSeq }) => [type, afterSeq]),
    [["reset", 1]],
    "and the room says so",
  );
});

Deno.test("a refresh takes over how much is unread, as read on another device while the line was down", async () => {
  const { client, network, answers } = await setUpLive({
    rooms: [room("room", { lastSeq: 3, lastReadSeq: 1, unreadCount: 2 })],
  });
  const state = client.rooms.get("room")!;
  assert.equal(state.unread, 2);
  push(network, message(4));
  assert.equal(state.unread, 3);
  answers["GET /rooms"] = [
    room("room", { lastSeq: 3, lastReadSeq: 3, unreadCount: 0 }),
  ];
  await client.rooms.refresh();
  assert.equal(state.unread, 1, "what came after the count is unread still");

  client.markRead("room");
  answers["GET /rooms"] = [
    room("room", { lastSeq: 4, lastReadSeq: 0, unreadCount: 4 }),
  ];
  await client.rooms.refresh();
  assert.equal(state.unread, 0, "the mark was on its way");
});

Deno.test("a room that was entered is followed, however often the server refuses at first", async () => {
  const { client, network, answers, clock } = await setUpLive();
  answers["POST /rooms"] = room("new");
  await createRoom(client, "New room");
  network.last.refuse("room:join", "unavailable");
  await settle();
  assert.equal(network.last.named("rooms:sync").length, 2);
  network.last.refuse("rooms:sync", "unavailable");
  await clock.advance(2_000);
  const syncs = network.last.named("rooms:sync");
  assert.equal(syncs.length, 3);
  assert.deepEqual(syncs[2]?.data.rooms.map(({ roomId }) => roomId), ["new"]);
});

Deno.test("rooms that could not be followed are followed over the next line, not asked for over none", async () => {
  const { client, network, answers, clock, accept } = await setUpLive();
  answers["GET /rooms"] = [room("room"), room("elsewhere")];
  const refreshed = client.rooms.refresh();
  await settle();
  network.last.refuse("rooms:sync", "unavailable");
  await refreshed;
  network.last.drop();
  await clock.advance(1_000);
  await accept();
  assert.deepEqual(
    network.last.named("rooms:sync")[0]?.data.rooms.map(({ roomId }) => roomId)
      .sort(),
    ["elsewhere", "room"],
  );
  await clock.advance(10_000);
  assert.equal(network.last.named("rooms:sync").length, 1);
});

Deno.test("a message in a room whose turn to be synced has not come is counted when it comes, also after a lost line", async () => {
  const rooms = Array.from({ length: 8 }, (_, n) => room(`room ${n}`));
  const { client, network, clock, accept } = setUp({ rooms });
  client.connection.start();
  await accept();
  assert.ok(client.connection.isLive);
  const asked = () =>
    network.last.named("rooms:sync").map(({ data }) =>
      data.rooms.map(({ roomId }) => roomId)
    );
  assert.deepEqual(asked().map((ids) => ids.length), [5, 3]);
  const [late = ""] = asked()[1] ?? [];
  const unread = () => client.rooms.get(late)?.unread;
  push(network, message(1, { roomId: late }));
  assert.equal(unread(), 1);
  assert.equal(client.unread, 1);

  network.last.drop();
  await clock.advance(5_000);
  await accept();
  assert.equal(asked().flat().length, 8);
  assert.equal(asked()[0]?.includes(late), true, "it is the newest now");
  push(network, message(2, { roomId: late }));
  assert.equal(unread(), 2);
});

/** Storage that counts how often it is read. */
class CountingStorage extends MemoryStorage {
  reads = 0;
  override getItem(key: string): string | null {
    this.reads++;
    return super.getItem(key);
  }
  override key(index: number): string | null {
    this.reads++;
    return super.key(index);
  }
}

Deno.test("a message reads nothing from the storage and changes nothing of other rooms", async () => {
  const storage = new CountingStorage();
  const { client, network, clock } = await setUpLive({
    rooms: [room("room"), room("other")],
    storage,
  });
  const other = client.rooms.get("other")!;
  let changes = -1;
  effect(() => {
    const { store, unread, roster, typing } = other;
    void [store.messages, store.position, unread, roster, typing.names];
    changes++;
  });
  storage.reads = 0;
  for (let seq = 1; seq <= 20; seq++) push(network, message(seq));
  await clock.advance(2_000);
  assert.equal(client.unread, 20);
  assert.equal(changes, 0);
  assert.equal(storage.reads, 0);
});
