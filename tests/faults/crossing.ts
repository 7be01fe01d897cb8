/** How long a message takes from the machine that acked it to the sockets on the others. */

import { connect, type TestClient } from "../helpers/client.ts";
import type { Person, Served } from "../helpers/people.ts";
import type { Random } from "./random.ts";
import { sleep } from "./sleep.ts";

/** Messages in one measurement. */
const MESSAGES = 12;

/** A message that has not arrived within this time is given up, in milliseconds. */
const PATIENCE_MS = 30_000;

/** Mean pause between two messages, in milliseconds: they are to fall anywhere between two looks. */
const PAUSE_MS = 400;

export interface CrossingParts {
  readonly machines: readonly Served[];
  /** At least as many as machines, and all members of the room. */
  readonly people: readonly Person[];
  readonly roomId: string;
  readonly random: Random;
}

/** Milliseconds from each ack to the arrival at each socket on another machine; infinite when it did not come. */
export async function measureCrossing(
  { machines, people, roomId, random }: CrossingParts,
): Promise<number[]> {
  const sockets: TestClient[] = [];
  try {
    for (const [index, machine] of machines.entries()) {
      const socket = await connect(machine, people[index]!);
      sockets.push(socket);
      await socket.expect("room:join", { roomId });
    }
    const times: number[] = [];
    for (let written = 0; written < MESSAGES; written++) {
      await sleep(random.pause(PAUSE_MS));
      const writer = sockets[written % sockets.length]!;
      times.push(...await cross(writer, sockets, roomId));
      // One that does not come says enough; waiting for each would take minutes.
      if (times.includes(Infinity)) break;
    }
    return times;
  } finally {
    for (const socket of sockets) await socket.close();
  }
}

async function cross(
  writer: TestClient,
  sockets: readonly TestClient[],
  roomId: string,
): Promise<number[]> {
  const clientMsgId = crypto.randomUUID();
  const arrivals = sockets.filter((socket) => socket !== writer)
    .map((socket) =>
      socket.waitFor(
        "message:new",
        (message) => message.clientMsgId === clientMsgId,
        PATIENCE_MS,
      ).then(() => performance.now(), () => Infinity)
    );
  await writer.expect("message:send", { roomId, text: "over", clientMsgId });
  const ackedAt = performance.now();
  return (await Promise.all(arrivals)).map((at) => Math.max(0, at - ackedAt));
}
