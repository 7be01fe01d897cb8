/** Rooms with people in them, and the few things they do there. */

import type {
  AckData,
  ClientEvents,
} from "../../realtime/protocol/protocol.ts";
import { connect, type TestClient } from "../helpers/client.ts";
import {
  createRoom,
  joinRoom,
  type Person,
  type Room,
  type Served,
  signIn,
} from "../helpers/people.ts";

let people = 0;

/** Signs in somebody nobody has met. */
export function newPerson(app: Served): Promise<Person> {
  return signIn(app, `person_${people++}`);
}

/** A member of a room with a socket that is subscribed to it. */
export interface Guest {
  readonly person: Person;
  readonly socket: TestClient;
}

export interface Gathering extends AsyncDisposable {
  readonly room: Room;
  readonly guests: readonly [Guest, Guest, ...Guest[]];
  /** One more member, following the room; made when not given. */
  enter(person?: Person): Promise<Guest>;
}

/** A new room whose members all follow it. What they were told so far is forgotten. */
export async function gather(app: Served, count = 2): Promise<Gathering> {
  const host = await newPerson(app);
  const room = await createRoom(host);
  const sockets: TestClient[] = [];
  const enter = async (person?: Person) => {
    if (person === undefined) {
      person = await newPerson(app);
      await joinRoom(person, room.id);
    }
    const socket = await connect(app, person);
    sockets.push(socket);
    await socket.expect("room:join", { roomId: room.id });
    return { person, socket };
  };
  const guests: Guest[] = [await enter(host)];
  while (guests.length < count) guests.push(await enter());
  await quiet(guests.map(({ socket }) => socket));
  return {
    room,
    guests: guests as unknown as Gathering["guests"],
    enter,
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
 * Waits until nothing that was caused before can still arrive: longer than what the server gathers
 * (4 ms of messages, 250 ms of rosters). Then forgets what came.
 */
export async function quiet(sockets: readonly TestClient[]): Promise<void> {
  await pause(300);
  for (const socket of sockets) socket.forget();
}

/** Waits so many milliseconds. For what must not happen; what must happen is waited for itself. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Resolves when the condition holds; rejects after 5 s. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
): Promise<void> {
  for (const end = Date.now() + 5_000; !await condition();) {
    if (Date.now() > end) throw new Error(`not within 5 s: ${what}`);
    await pause(10);
  }
}
