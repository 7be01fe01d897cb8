/**
 * What a fault run breaks: the real server as one process or several, their database and their
 * Redis, and a proxy on each way between them that can be broken.
 */

import { type Database, openDatabase } from "../../db/engine/database.ts";
import { listAfter } from "../../db/message_history.ts";
import { messageOfRow } from "../../realtime/messages/message_view.ts";
import type { Message } from "../../realtime/protocol/protocol.ts";
import type { Engine } from "../helpers/database.ts";
import { silentLog } from "../helpers/log.ts";
import {
  createRoom,
  joinRoom,
  type Person,
  signIn,
} from "../helpers/people.ts";
import {
  execute,
  type PostgresCluster,
  startPostgres,
} from "../helpers/postgres.ts";
import { type RedisServer, startRedis } from "../helpers/redis.ts";
import { Machine } from "./machine.ts";
import type { FaultProxy, Target } from "./proxy.ts";
import type { Random } from "./random.ts";
import type { ServerProcess } from "./server_process.ts";

/** Messages read at once when the truth is asked for. */
const PAGE = 1_000;

/** Limits raised so far that a load of ours does not meet them; everything else is as in production. */
const LOAD_ENVIRONMENT = {
  RATE_LIMIT_MESSAGES: "1000000",
  RATE_LIMIT_WINDOW_MS: "1000",
  FRAME_LIMIT_PER_SECOND: "1000000",
  FRAME_LIMIT_BURST: "1000000",
  MAX_SOCKETS_PER_USER: "1000",
  MAX_SOCKETS_PER_ADDRESS: "10000",
  ROOMS_PER_HOUR: "1000000",
  REST_LIMIT_PER_MINUTE: "1000000",
  JWT_SECRET: "a secret of the fault runs, long enough for production",
  CODE_DELIVERY: "response",
  ALLOW_INSECURE_CODES: "yes",
  LOG_LEVEL: "info",
};

/** A room as the database holds it, after a given message. */
export interface RoomTruth {
  readonly roomId: string;
  readonly lastSeq: number;
  readonly lastRev: number;
  readonly messages: readonly Message[];
}

export interface TestClusterOptions {
  readonly engine: Engine;
  /** Server processes; more than one share a PostgreSQL and a Redis. One by default. */
  readonly machines?: number;
  /** Told of what no fault excuses. */
  readonly alarm: (text: string) => void;
  /** More environment variables for the server. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Servers of this test alone, with all that they need. Dispose of it: everything ends and its files go. */
export class TestCluster implements AsyncDisposable {
  readonly engine: Engine;
  readonly machines: readonly [Machine, ...Machine[]];
  /** The server of the database, when the engine is one. */
  readonly postgres: PostgresCluster | undefined;
  /** What joins the machines, when there are several. */
  readonly redis: RedisServer | undefined;
  readonly #dataDir: string;

  private constructor(
    parts: Pick<TestCluster, "engine" | "machines" | "postgres" | "redis"> & {
      dataDir: string;
    },
  ) {
    this.engine = parts.engine;
    this.machines = parts.machines;
    this.postgres = parts.postgres;
    this.redis = parts.redis;
    this.#dataDir = parts.dataDir;
  }

  /** Starts a database of its own, with commits that wait for the disk, and the server on it. */
  static async open(options: TestClusterOptions): Promise<TestCluster> {
    const { engine, alarm, env, machines: count = 1 } = options;
    if (count > 1 && engine !== "postgres") {
      throw new Error("several machines need PostgreSQL");
    }
    const dataDir = await Deno.makeTempDir({ prefix: "chatket-faults-" });
    const postgres = engine === "postgres"
      ? await startPostgres({ fsync: true })
      : undefined;
    const redis = count > 1 ? await startRedis() : undefined;
    const databasePort = postgres && Number(new URL(postgres.url()).port);
    const machines: Machine[] = [];
    for (let number = 1; number <= count; number++) {
      machines.push(
        await Machine.create({
          name: `machine ${number}`,
          databasePort,
          redisPort: redis?.port,
          env: { ...LOAD_ENVIRONMENT, DATA_DIR: dataDir, ...env },
          alarm,
        }),
      );
    }
    const cluster = new TestCluster({
      ...{ engine, postgres, redis, dataDir },
      machines: machines as [Machine, ...Machine[]],
    });
    try {
      // One after another: the first makes the tables.
      for (const { server } of machines) await server.start();
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
    return cluster;
  }

  /** The only server, or the first of several. */
  get server(): ServerProcess {
    return this.machines[0].server;
  }

  get port(): number {
    return this.machines[0].port;
  }

  /** The server without any proxy in front of it. */
  get origin(): string {
    return this.machines[0].origin;
  }

  /** Whether all servers run. */
  get isUp(): boolean {
    return this.machines.every(({ server }) => server.isUp);
  }

  /** Between the only or first server and its PostgreSQL. */
  get databaseProxy(): FaultProxy | undefined {
    return this.machines[0].databaseProxy;
  }

  /** Between the servers and their PostgreSQL. */
  get databaseProxies(): readonly FaultProxy[] {
    return this.machines.flatMap(({ databaseProxy }) => databaseProxy ?? []);
  }

  /** Between the servers and their Redis. */
  get redisProxies(): readonly FaultProxy[] {
    return this.machines.flatMap(({ redisProxy }) => redisProxy ?? []);
  }

  /** Where a client connects: to another machine each time, as chance will have it. */
  anyMachine(random: Random): Target {
    return this.machines.length === 1
      ? this.port
      : () => random.pick(this.machines).port;
  }

  /** Signs users in: `name1`, `name2` … */
  async people(name: string, count: number): Promise<Person[]> {
    const people: Person[] = [];
    for (let number = 1; number <= count; number++) {
      people.push(await signIn(this, `${name}${number}`));
    }
    return people;
  }

  /** Makes rooms with all of these people in them; gives their ids. */
  async rooms(people: readonly Person[], count: number): Promise<string[]> {
    const [first, ...others] = people;
    const ids: string[] = [];
    for (let made = 0; made < count; made++) {
      const { id } = await createRoom(first!);
      for (const person of others) await joinRoom(person, id);
      ids.push(id);
    }
    return ids;
  }

  /**
   * What the database holds of rooms, each after a `seq`. The embedded database belongs to one process:
   * there the server is stopped for it, and started again.
   */
  async truth(after: ReadonlyMap<string, number>): Promise<RoomTruth[]> {
    if (this.postgres !== undefined) {
      return await readTruth(this.postgres.url(), this.#dataDir, after);
    }
    await this.server.stop();
    const truth = await readTruth(undefined, this.#dataDir, after);
    await this.server.start();
    return truth;
  }

  /** Ends a session of the server with PostgreSQL, as an administrator would. */
  async terminateBackends(): Promise<void> {
    if (this.postgres === undefined) return;
    await execute(
      this.postgres.url(),
      "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and backend_type = 'client backend'",
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const machine of this.machines) await machine.close();
    await this.redis?.[Symbol.asyncDispose]();
    await this.postgres?.[Symbol.asyncDispose]();
    await Deno.remove(this.#dataDir, { recursive: true });
  }
}

async function readTruth(
  databaseUrl: string | undefined,
  dataDir: string,
  after: ReadonlyMap<string, number>,
): Promise<RoomTruth[]> {
  const db = await openDatabase({ databaseUrl, dataDir }, silentLog);
  try {
    const rooms: RoomTruth[] = [];
    for (const [roomId, seq] of after) {
      rooms.push(await readRoom(db, roomId, seq));
    }
    return rooms;
  } finally {
    await db.destroy();
  }
}

async function readRoom(
  db: Database,
  roomId: string,
  after: number,
): Promise<RoomTruth> {
  const messages: Message[] = [];
  for (let seq = after;;) {
    const page = await listAfter(db, roomId, seq, PAGE);
    messages.push(...page.map(messageOfRow));
    if (page.length < PAGE) break;
    seq = page.at(-1)!.seq;
  }
  const { last_seq: lastSeq, last_rev: lastRev } = await db.selectFrom("rooms")
    .select(["last_seq", "last_rev"])
    .where("id", "=", roomId).executeTakeFirstOrThrow();
  return { roomId, lastSeq, lastRev, messages };
}
