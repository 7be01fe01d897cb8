/** Rooms with people in them, and the few things they do there. */

import type {
  AckData,
  ClientEvents,
} from "../../realtime/protocol/protocol.ts";
import { connect, type TestClient } from "./client.ts";
import {
  createRoom,
  joinRoom,
  type Person,
  type Room,
  type Served,
  signIn,
} from "./people.ts";

/** How long a test waits for what must become true, in milliseconds. */
const PATIENCE_MS = 5_000;

/** Between two looks at what must become true, in milliseconds. */
const LOOK_AGAIN_MS = 10;

let people = 0;

/** Signs in a new user. */
export function newPerson(app: Served): Promise<Person> {
  return signIn(app, `person_${people++}`);
}

/** A member of a room with a socket that is subscribed to it. */
export interface Member {
  readonly person: Person;
  readonly socket: TestClient;
}

export interface RoomWithMembers extends AsyncDisposable {
  readonly room: Room;
  readonly members: readonly [Member, Member, ...Member[]];
  /** Subscribes one more socket: of this member, or of a new one. */
  subscribe(person?: Person): Promise<Member>;
}

/** A new room whose members are all subscribed to it. Their sockets have forgotten what came so far. */
export async function createRoomWithMembers(
  app: Served,
  count = 2,
): Promise<RoomWithMembers> {
  const { subscribe, ...chat } = await createSharedRoom(
    Array.from({ length: count }, () => app),
  );
  return {
    ...chat,
    async subscribe(person) {
      if (person === undefined) {
        person = await newPerson(app);
        await joinRoom(person, chat.room.id);
      }
      return { person, socket: await subscribe(app, person) };
    },
  };
}

export interface SharedRoom extends Omit<RoomWithMembers, "subscribe"> {
  /** Subscribes one more socket of a member, at one of the servers. */
  subscribe(app: Served, person: Person): Promise<TestClient>;
}

/** As {@link createRoomWithMembers}, with one member at each of these servers of one chat, in their order. */
export async function createSharedRoom(
  apps: readonly Served[],
): Promise<SharedRoom> {
  const [first] = apps;
  const host = await newPerson(first!);
  const room = await createRoom(host);
  const sockets: TestClient[] = [];
  const subscribe = async (app: Served, person: Person) => {
    const socket = await connect(app, person);
    sockets.push(socket);
    await socket.expect("room:join", { roomId: room.id });
    return socket;
  };
  const members: Member[] = [];
  for (const app of apps) {
    const person = members.length === 0 ? host : await newPerson(app);
    if (person !== host) await joinRoom(person, room.id);
    members.push({ person, socket: await subscribe(app, person) });
  }
  const count = apps.length;
  for (const socket of sockets) {
    await socket.waitFor(
      "room:roster",
      (roster) => roster.onlineCount === count && roster.memberCount === count,
    );
  }
  const places = apps.map((app, index) => ({ app, socket: sockets[index]! }));
  for (const [app, here] of Map.groupBy(places, (place) => place.app)) {
    await forgetPast(app, here.map(({ socket }) => socket));
  }
  return {
    room,
    members: members as unknown as RoomWithMembers["members"],
    subscribe,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) await socket[Symbol.asyncDispose]();
    },
  };
}

/** Sends a message, with a client id of its own unless one is given. */
export function send(
  socket: TestClient,
  roomId: string,
  post: Partial<ClientEvents["message:send"]> = {},
): Promise<AckData<"message:send">> {
  return socket.request("message:send", {
    roomId,
    text: "hello",
    clientMsgId: crypto.randomUUID(),
    ...post,
  });
}

/** As {@link send}, but a refusal is an error. */
export function say(
  socket: TestClient,
  roomId: string,
  text = "hello",
): Promise<Extract<AckData<"message:send">, { success: true }>> {
  return socket.expect("message:send", {
    roomId,
    text,
    clientMsgId: crypto.randomUUID(),
  });
}

/**
 * Resolves when all that was caused so far has arrived at these sockets: the app has nothing left to
 * do, and each socket has an answer to a ping that was sent then. After it, what has not come does
 * not come.
 */
export async function waitUntilIdle(
  app: Served,
  sockets: readonly TestClient[],
): Promise<void> {
  await app.idle?.();
  for (const socket of sockets) await socket.expect("presence:ping", {});
}

/** Waits until all that was caused so far has arrived, and has the sockets forget it. */
export async function forgetPast(
  app: Served,
  sockets: readonly TestClient[],
): Promise<void> {
  await waitUntilIdle(app, sockets);
  for (const socket of sockets) socket.forget();
}

/** Resolves when the condition holds; rejects after 5 s, or as many milliseconds as are given. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  patienceMs = PATIENCE_MS,
): Promise<void> {
  for (const end = Date.now() + patienceMs; !await condition();) {
    if (Date.now() > end) {
      throw new Error(`not within ${patienceMs} ms: ${what}`);
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  }
}
