/** Arithmetic from figures and a workload to what a chat of some size needs. Units as in figures.ts. */

import {
  FIGURES,
  type Figures,
  LIMITS,
  WORKLOAD,
  type Workload,
} from "./figures.ts";

/** How the chat is put together. */
export interface Design {
  /** Every process knows everybody who is online, or only those in rooms it has followers in. */
  presence: "everybody" | "by_interest";
  /** PostgreSQL servers that rooms are hashed over. */
  postgresShards: number;
  /** Processes that write: all, or so many that others hand a room's messages to, each for one server. */
  writers: number | "all";
  /** Nodes of a Redis Cluster: rooms and limits spread over them, a single channel does not. */
  redisNodes: number;
  /** Whether a pooler such as PgBouncer stands between the processes and PostgreSQL. */
  pooled: boolean;
  /** How often each process asks for the newest numbers of its rooms, in seconds. */
  newestSeconds: number;
}

export const AS_BUILT: Design = {
  presence: "everybody",
  postgresShards: 1,
  writers: "all",
  redisNodes: 1,
  pooled: false,
  newestSeconds: 5,
};

export interface Estimate {
  connections: number;
  messages: number;
  deliveries: number;
  processes: number;
  /** What the number of processes follows from. */
  processesFor: "memory" | "CPU";
  serverCores: number;
  processBytes: number;
  /** To clients. */
  egressBytes: number;
  /** Of it, rosters. */
  rosterBytes: number;
  /** Until everybody is back after everything was restarted, in seconds. */
  allBackSeconds: number;
  commits: number;
  messagesPerCommit: number;
  postgresCores: number;
  /** Of them, for asking for newest numbers. */
  newestCores: number;
  redisCommands: number;
  redisHeard: number;
  redisBytes: number;
  redisCores: number;
  /** The busiest single channel, which one Redis has to carry whole: part of a core. */
  presenceChannelCores: number;
  /** Each limit that more processes do not lift, as part used; above 1 it is passed. */
  used: Record<string, number>;
}

/** Rosters and typing marks of one room are at least this far apart, in seconds (realtime/presence/pace.ts). */
const paceSeconds = (followers: number) => Math.max(0.25, followers * 0.004);
const ROSTER_USER_BYTES = 85;
const ROSTER_USERS = 200;
/** A process tells its presence changes at most so often, and that it lives so often. */
const TELLS = 10;
const ALIVE_SECONDS = 5;
const MICROSECONDS = 1e6;

const sum = (parts: readonly number[]) => parts.reduce((a, b) => a + b, 0);

/** In how many of `processes` a room's followers are, when they come to any of them. */
export function spread(followers: number, processes: number): number {
  return processes * (1 - (1 - 1 / processes) ** followers);
}

/** The load of a chat on a given number of processes. */
export function load(
  connections: number,
  processes: number,
  { server, postgres, redis }: Figures,
  workload: Workload,
  design: Design,
): Estimate {
  const messages = connections * workload.messagesPerUserPerMinute / 60;
  const joins = connections / workload.connectionSeconds;
  const changes = 2 * joins * workload.seenOffline;
  const classes = workload.rooms.map((room) => {
    const followers = Math.min(room.followers, connections);
    const rooms = connections * room.followedByEach / followers;
    const roomChanges = followers * changes / connections;
    return {
      ...{ followers, rooms, roomChanges },
      messages: messages * room.messageShare,
      rosters: Math.min(roomChanges, 1 / paceSeconds(followers)),
      heardBy: processes === 1 ? 0 : spread(followers, processes),
    };
  });
  const isShared = processes > 1;
  const typing = workload.typingPerMessage;

  const deliveries = sum(classes.map((room) => room.messages * room.followers));
  const rosterFrames = sum(
    classes.map((room) => room.rooms * room.rosters * room.followers),
  );
  const rosterBytes = sum(
    classes.map((room) =>
      room.rooms * room.rosters * room.followers *
      Math.min(room.followers, ROSTER_USERS) * ROSTER_USER_BYTES
    ),
  );
  const egressBytes = deliveries * redis.messageBytes +
    deliveries * typing * redis.typingBytes + rosterBytes;

  // Every message asks Redis for its limit; messages and typing marks are told to the room's processes.
  const heardOfRooms = sum(
    classes.map((room) => room.messages * (1 + typing) * room.heardBy),
  );
  const tells = Math.min(changes, TELLS * processes) +
    processes / ALIVE_SECONDS;
  const byInterest = design.presence === "by_interest";
  const presenceTold = !isShared
    ? 0
    : byInterest
    ? sum(classes.map((room) => room.rooms * room.roomChanges))
    : tells;
  const presenceHeard = !isShared
    ? 0
    : byInterest
    ? sum(classes.map((room) => room.rooms * room.roomChanges * room.heardBy))
    : tells * processes;
  const told = isShared ? messages * (1 + typing) : 0;
  const asked = isShared ? messages : 0;
  const handedOver = isShared && design.writers !== "all" ? messages : 0;
  const redisHeard = heardOfRooms + presenceHeard + handedOver;
  const redisCommands = told + asked + presenceTold + handedOver;
  const presenceCpu = presenceTold * redis.publish +
    presenceHeard * redis.toEach;

  const serverCpu = messages * server.message +
    (deliveries * (1 + typing) + rosterFrames) * server.frame +
    egressBytes / 1024 * server.frameKiB +
    connections / workload.pingSeconds * server.ping +
    joins * server.join + asked * redis.ask +
    (told + presenceTold + handedOver) * redis.tell + redisHeard * redis.hear;
  const knownOnline = !isShared ? 0 : byInterest
    ? Math.min(
      connections,
      connections / processes *
        sum(
          workload.rooms.filter((room) => room.followers <= ROSTER_USERS)
            .map((room) => room.followers * room.followedByEach),
        ),
    )
    : connections;

  // A process that writes to several servers has batches of its own for each.
  const streams = design.writers === "all"
    ? processes * design.postgresShards
    : design.writers;
  const commits = streams *
    Math.min(messages / streams, LIMITS.writerLanes / postgres.commitSeconds);
  const newest = isShared
    ? sum(classes.map((room) => room.rooms * room.heardBy)) /
      design.newestSeconds
    : 0;
  const postgresCpu = messages * postgres.message + commits * postgres.commit +
    joins * postgres.join + newest * postgres.newest;
  const redisCpu = asked * redis.script + (told + handedOver) * redis.publish +
    (heardOfRooms + handedOver) * redis.toEach + presenceCpu;
  const redisCores = redisCpu / MICROSECONDS;
  const postgresCores = postgresCpu / MICROSECONDS;
  const presenceChannelCores = byInterest ? 0 : presenceCpu / MICROSECONDS;
  const shards = design.postgresShards;

  return {
    ...{ connections, messages, deliveries, processes, processesFor: "CPU" },
    ...{
      egressBytes,
      rosterBytes,
      commits,
      postgresCores,
      redisCommands,
      redisHeard,
    },
    ...{ redisCores, presenceChannelCores },
    newestCores: newest * postgres.newest / MICROSECONDS,
    serverCores: serverCpu / MICROSECONDS,
    processBytes: server.baseBytes +
      connections / processes * server.connectionBytes +
      knownOnline * server.onlineUserBytes,
    messagesPerCommit: messages / commits,
    allBackSeconds: connections / MICROSECONDS *
      Math.max(
        server.join / processes,
        postgres.join / (LIMITS.postgresCores * shards),
      ),
    redisBytes: heardOfRooms / (1 + typing) *
        (redis.messageBytes + typing * redis.typingBytes) +
      presenceHeard / Math.max(presenceTold, 1) * changes * redis.userBytes,
    used: {
      "PostgreSQL CPU": postgresCores / shards /
        (LIMITS.postgresCores * LIMITS.busyCore),
      "PostgreSQL commits": commits / shards / LIMITS.postgresCommits,
      "PostgreSQL connections": design.pooled
        ? 0
        : processes * LIMITS.poolSize / LIMITS.postgresConnections,
      "Redis CPU": redisCores / design.redisNodes / LIMITS.busyCore,
      "presence channel": presenceChannelCores / LIMITS.busyCore,
    },
  };
}

/** Most processes that are looked at. */
const MAX_PROCESSES = 100_000;

/** The fewest processes that carry a chat; undefined when more of them only make more work. */
export function estimate(
  connections: number,
  design: Design = AS_BUILT,
  workload: Workload = WORKLOAD,
  figures: Figures = FIGURES,
): Estimate | undefined {
  let processesFor: Estimate["processesFor"] = "CPU";
  for (let processes = 1; processes <= MAX_PROCESSES;) {
    const found = load(connections, processes, figures, workload, design);
    const isTooBig = found.processBytes > LIMITS.processBytes;
    const isTooBusy = found.serverCores > processes * LIMITS.busyCore;
    if (!isTooBig && !isTooBusy) return { ...found, processesFor };
    processesFor = isTooBusy ? "CPU" : "memory";
    // Near enough: every process more makes more work for all, so the first number that does is taken.
    processes = Math.max(processes + 1, Math.floor(processes * 1.01));
  }
  return undefined;
}
