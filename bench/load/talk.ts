/** People talk in one room: some send, all read. */

import { Client, forEachAtOnce } from "./client.ts";
import { percentile, sleep, sum } from "./figures.ts";
import { type Job, type Metrics, portOf } from "./job.ts";
import { cpuSeconds, cpuSecondsOfAll, familyCpuSeconds } from "./proc.ts";
import { MARK } from "./wire.ts";

/** Length of every text: that of an ordinary line of chat, in characters. */
const TEXT_LENGTH = 80;

/** Digits of the sending time in a text, in microseconds of this process's clock. */
const TIME_DIGITS = 16;

/** Connections being made or rooms being joined at once while a scenario is set up. */
const SETUP_AT_ONCE = 50;

/** Rosters that follow the last join are given this long, in milliseconds. */
const SETTLE_MS = 2_000;

/** What was acked must have reached everybody within this time, in milliseconds. */
const DELIVERY_PATIENCE_MS = 10_000;

interface Talk {
  readonly job: Job;
  readonly roomId: string;
  measuring: boolean;
  stopped: boolean;
  acked: number;
  /** Of the messages acked while measuring, in milliseconds. */
  readonly ackTimes: number[];
  /** Of every delivery while measuring, in milliseconds; only filled at a given rate. */
  readonly deliveryTimes: number[];
}

export async function talk(job: Job): Promise<Metrics> {
  const state: Talk = {
    job,
    roomId: job.rooms[0]!,
    measuring: false,
    stopped: false,
    acked: 0,
    ackTimes: [],
    deliveryTimes: [],
  };
  const clients = await gather(state);
  await sleep(SETTLE_MS);

  const talking = clients.slice(0, job.senders).map((client) =>
    job.rate === undefined
      ? sendOnAcks(state, client)
      : sendAtRate(state, client, job.rate / job.senders)
  );
  await sleep(job.warmupSeconds * 1000);

  const reading = () => ({
    at: performance.now(),
    acked: state.acked,
    marks: sum(clients, (client) => client.wire.marks),
    frames: sum(clients.slice(job.senders), (client) => client.wire.frames),
    readerMarks: sum(clients.slice(job.senders), (client) => client.wire.marks),
    server: cpuSecondsOfAll(job.serverPids),
    postgres: job.postgresPid === undefined
      ? NaN
      : familyCpuSeconds(job.postgresPid),
    redis: job.redisPid === undefined ? NaN : cpuSeconds(job.redisPid),
    load: cpuSeconds(Deno.pid),
  });
  const before = reading();
  state.measuring = true;
  await sleep(job.seconds * 1000);
  state.measuring = false;
  const after = reading();

  state.stopped = true;
  await Promise.all(talking);
  const lost = await undelivered(state, clients);

  const seconds = (after.at - before.at) / 1000;
  const acked = after.acked - before.acked;
  const delivered = after.marks - before.marks;
  const server = after.server - before.server;
  return {
    ackedPerSecond: acked / seconds,
    ackP50Ms: percentile(state.ackTimes, 0.5),
    ackP99Ms: percentile(state.ackTimes, 0.99),
    deliveredPerSecond: delivered / seconds,
    deliveryP50Ms: percentile(state.deliveryTimes, 0.5),
    deliveryP99Ms: percentile(state.deliveryTimes, 0.99),
    messagesPerFrame: (after.readerMarks - before.readerMarks) /
      (after.frames - before.frames),
    serverMicrosPerMessage: server * 1e6 / acked,
    serverMicrosPerDelivery: server * 1e6 / delivered,
    postgresMicrosPerMessage: (after.postgres - before.postgres) * 1e6 / acked,
    redisMicrosPerMessage: (after.redis - before.redis) * 1e6 / acked,
    serverCores: server / seconds,
    postgresCores: (after.postgres - before.postgres) / seconds,
    loadCores: (after.load - before.load) / seconds,
    lost,
    cutOff: sum(clients, ({ wire }) => wire.closeCode === undefined ? 0 : 1),
  };
}

async function gather(state: Talk): Promise<Client[]> {
  const { job, roomId } = state;
  const clients: Client[] = new Array(job.people.length);
  await forEachAtOnce(job.people, SETUP_AT_ONCE, async ({ token }, index) => {
    const client = await Client.open(portOf(job, index), token);
    await client.join(roomId);
    if (index >= job.senders) {
      client.onlyCount(
        job.rate === undefined
          ? undefined
          : (bytes, at) => noteDelivery(state, bytes, at),
      );
    }
    clients[index] = client;
  });
  return clients;
}

/** Keeps `inFlight` messages on their way, each followed by the next when its ack has come. */
async function sendOnAcks(state: Talk, client: Client): Promise<void> {
  const loop = async () => {
    while (!state.stopped && client.wire.closeCode === undefined) {
      await sendOne(state, client);
    }
  };
  await Promise.all(Array.from({ length: state.job.inFlight }, loop));
}

/** Sends at an even pace, whatever comes back. */
async function sendAtRate(
  state: Talk,
  client: Client,
  perSecond: number,
): Promise<void> {
  const start = performance.now();
  const sent: Promise<void>[] = [];
  while (!state.stopped) {
    const due = (performance.now() - start) / 1000 * perSecond;
    while (sent.length < due) sent.push(sendOne(state, client));
    await sleep(1);
  }
  await Promise.all(sent);
}

async function sendOne(state: Talk, client: Client): Promise<void> {
  const sentAt = performance.now();
  const time = String(Math.round(sentAt * 1000)).padStart(TIME_DIGITS, "0");
  const text = (MARK + time).padEnd(TEXT_LENGTH, " an ordinary line of chat");
  try {
    await client.request("message:send", {
      roomId: state.roomId,
      text,
      clientMsgId: crypto.randomUUID(),
    });
  } catch (error) {
    // A server that cuts clients off under load is a figure of its own, not the end of the run.
    if (client.wire.closeCode === undefined) throw error;
    return;
  }
  state.acked++;
  if (state.measuring) state.ackTimes.push(performance.now() - sentAt);
}

function noteDelivery(state: Talk, bytes: Uint8Array, at: number): void {
  // A time cut in two by the end of a read is one sample less.
  if (!state.measuring || at + TIME_DIGITS >= bytes.length) return;
  let micros = 0;
  for (let digit = at + 1; digit <= at + TIME_DIGITS; digit++) {
    micros = micros * 10 + bytes[digit]! - 48;
  }
  state.deliveryTimes.push(performance.now() - micros / 1000);
}

/** Waits until everybody has every acked message. @returns deliveries that are still missing */
async function undelivered(
  state: Talk,
  clients: readonly Client[],
): Promise<number> {
  const missing = () =>
    sum(clients, ({ wire }) => Math.max(0, state.acked - wire.marks));
  const deadline = performance.now() + DELIVERY_PATIENCE_MS;
  while (missing() > 0 && performance.now() < deadline) await sleep(20);
  return missing();
}
