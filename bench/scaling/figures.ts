/**
 * What the model of docs/scaling.md starts from: measured figures, limits, and what people do. CPU is
 * in microseconds (µs) of one core, memory in bytes, rates a second.
 */

/** What things cost. Every figure says where it comes from. */
export interface Figures {
  server: {
    /** A message taken, checked, numbered and acked, without its deliveries. */
    message: number;
    /** A delivery that is a frame of its own. */
    frame: number;
    /** Each KiB of it. */
    frameKiB: number;
    /** A ping taken and acked. */
    ping: number;
    /** A connection that comes: upgrade, session, sync of its rooms. */
    join: number;
    baseBytes: number;
    connectionBytes: number;
    /** One user known to be online elsewhere. */
    onlineUserBytes: number;
  };
  postgres: {
    /** A message's part of a batch, and the batch itself: a lone message costs both. */
    message: number;
    commit: number;
    /** How long a batch is on its way, in seconds. */
    commitSeconds: number;
    join: number;
    /** One room's newest number, asked for by each process that has followers in it. */
    newest: number;
  };
  redis: RedisFigures;
}

export interface RedisFigures {
  /** At the server process: a limit asked for, a signal told, a signal heard. */
  ask: number;
  tell: number;
  hear: number;
  /** At Redis: the same. `toEach` comes for every process that hears a signal. */
  script: number;
  publish: number;
  toEach: number;
  /** Size of a signal with one message, of one with a typing mark, and of one user in a signal. */
  messageBytes: number;
  typingBytes: number;
  userBytes: number;
}

/**
 * Measured by bench/redis_costs.ts on 2 shared cores, Redis 7.0.15: 5,000 limits asked for and 5,000
 * signals told a second by one process, 3,000 signals a second heard by 1, 4 and 16 connections. The
 * busier a process, the more share one wake-up: a signal heard cost 35 µs at the lowest rate and 5 µs
 * at the highest (docs/scaling.md has them all; taken is one between), a command at 1,000 a second
 * three times as much as here.
 */
export const REDIS_FIGURES: RedisFigures = {
  ask: 28,
  // 26 µs, and the encoding.
  tell: 30,
  hear: 25,
  script: 17,
  publish: 6,
  toEach: 1.2,
  messageBytes: 489,
  typingBytes: 250,
  userBytes: 39,
};

export const FIGURES: Figures = {
  server: {
    // 86 µs in a room of 20 in a closed loop (bench/README.md, 1), of which 8 are deliveries.
    message: 78,
    // A frame a delivery: 5.7 µs on the bare runtime (bench/README.md, 3).
    frame: 5.7,
    frameKiB: 0.5, // estimate
    ping: 15, // estimate: a frame in, a frame out, the parser
    // 428 µs at 1,600 joins a second, 580 at 2,850 (bench/README.md, 6).
    join: 580,
    baseBytes: 120 * 2 ** 20,
    // Idle (bench/README.md, 5).
    connectionBytes: 33_600,
    onlineUserBytes: 150, // estimate: an id of 36 characters in a set
  },
  postgres: {
    // 54 µs in batches of 20 (bench/README.md, 1); in a quieter run 300 alone and 25–30 in batches of
    // hundreds: 40 + 290 / batch.
    message: 40,
    commit: 290,
    commitSeconds: 0.003,
    join: 500, // estimate
    newest: 2, // estimate: an index look-up in a statement over 1,000 rooms
  },
  redis: REDIS_FIGURES,
};

/** What is taken for full: of a core, of a process, of a database server, of a Redis. */
export const LIMITS = {
  /** Above this share of a core answers begin to wait for each other. */
  busyCore: 0.6,
  processBytes: 1.5 * 2 ** 30,
  postgresCores: 16,
  /** pgbench with 20 clients on the measured machine: commits that share the disk's. */
  postgresCommits: 14_000,
  postgresConnections: 1_000,
  /** Of the pool of one process. */
  poolSize: 10,
  /** Batches of one process that may be on their way at once. */
  writerLanes: 2,
};

/** Rooms of one size. */
export interface RoomClass {
  /** Followers that are online. */
  followers: number;
  /** Part of all messages that is written in such rooms. */
  messageShare: number;
  /** How many such rooms a user follows. */
  followedByEach: number;
}

/** What people do, at the busy hour. */
export interface Workload {
  messagesPerUserPerMinute: number;
  typingPerMessage: number;
  rooms: readonly RoomClass[];
  /** How long a connection lasts, in seconds: phones sleep, trains enter tunnels. */
  connectionSeconds: number;
  /** Part of the lost connections that shows as offline before the user is back. */
  seenOffline: number;
  pingSeconds: number;
}

export const WORKLOAD: Workload = {
  messagesPerUserPerMinute: 0.5,
  typingPerMessage: 1.5,
  rooms: [
    { followers: 5, messageShare: 0.6, followedByEach: 6 },
    { followers: 20, messageShare: 0.3, followedByEach: 3 },
    { followers: 100, messageShare: 0.09, followedByEach: 1 },
    { followers: 1_000, messageShare: 0.01, followedByEach: 1 },
  ],
  connectionSeconds: 1_800,
  seenOffline: 0.5,
  pingSeconds: 15,
};
