/**
 * Where a fault run takes place: the real server process, its database, and a proxy in front of each
 * of them that can be broken.
 */

import pg from "pg";
import { type Database, openDatabase } from "../../db/database.ts";
import { listAfter } from "../../db/messages.ts";
import { messageOfRow } from "../../realtime/message_view.ts";
import type { MessageNew } from "../../realtime/protocol.ts";
import type { Engine } from "../helpers/database.ts";
import { silentLog } from "../helpers/log.ts";
import {
  createRoom,
  joinRoom,
  type Person,
  signIn,
} from "../helpers/people.ts";
import { type PostgresCluster, startPostgres } from "../helpers/postgres.ts";
import { freePort } from "../helpers/system.ts";
import { FaultProxy } from "./proxy.ts";
import { ServerProcess } from "./server_process.ts";

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
  JWT_SECRET: "a secret of the fault runs, long enough for production",
  CODE_DELIVERY: "response",
  ALLOW_INSECURE_CODES: "yes",
  LOG_LEVEL: "info",
};

/** A room as the database holds it, after a given message. */
export interface RoomTruth {
  readonly roomId: string;
  readonly lastSeq: number;
  readonly messages: readonly MessageNew[];
}

export interface ArenaOptions {
  readonly engine: Engine;
  /** Told of what no fault excuses. */
  readonly alarm: (text: string) => void;
  /** More environment variables for the server. */
  readonly env?: Readonly<Record<string, string>>;
}

export class Arena implements AsyncDisposable {
  readonly engine: Engine;
  readonly server: ServerProcess;
  readonly port: number;
  /** The server of the database, when the engine is one. */
  readonly cluster: PostgresCluster | undefined;
  /** Between the server and its PostgreSQL. */
  readonly databaseProxy: FaultProxy | undefined;
  readonly #dataDir: string;

  private constructor(
    parts: Pick<Arena, "engine" | "server" | "port"> & {
      cluster: PostgresCluster | undefined;
      databaseProxy: FaultProxy | undefined;
      dataDir: string;
    },
  ) {
    this.engine = parts.engine;
    this.server = parts.server;
    this.port = parts.port;
    this.cluster = parts.cluster;
    this.databaseProxy = parts.databaseProxy;
    this.#dataDir = parts.dataDir;
  }

  /** Starts a database of its own, with commits that wait for the disk, and the server on it. */
  static async open({ engine, alarm, env }: ArenaOptions): Promise<Arena> {
    const dataDir = await Deno.makeTempDir({ prefix: "chatket-faults-" });
    const cluster = engine === "postgres"
      ? await startPostgres({ fsync: true })
      : undefined;
    const databasePort = cluster && Number(new URL(cluster.url()).port);
    const databaseProxy = databasePort === undefined
      ? undefined
      : await FaultProxy.listen(databasePort);
    const databaseUrl = databaseProxy &&
      `postgres://postgres@127.0.0.1:${databaseProxy.port}/postgres`;
    const port = freePort();
    const server = new ServerProcess({
      port,
      alarm,
      env: {
        ...LOAD_ENVIRONMENT,
        DATA_DIR: dataDir,
        ...databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl },
        ...env,
      },
    });
    const arena = new Arena({
      ...{ engine, server, port, cluster, databaseProxy, dataDir },
    });
    try {
      await server.start();
    } catch (error) {
      await arena[Symbol.asyncDispose]();
      throw error;
    }
    return arena;
  }

  /** The server without any proxy in front of it. */
  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
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
    if (this.cluster !== undefined) {
      return await readTruth(this.cluster.url(), this.#dataDir, after);
    }
    await this.server.stop();
    const truth = await readTruth(undefined, this.#dataDir, after);
    await this.server.start();
    return truth;
  }

  /** Ends a session of the server with PostgreSQL, as an administrator would. */
  async terminateBackends(): Promise<void> {
    if (this.cluster === undefined) return;
    const client = new pg.Client({ connectionString: this.cluster.url() });
    await client.connect();
    await client.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and backend_type = 'client backend'",
    );
    await client.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.kill();
    await this.databaseProxy?.close();
    await this.cluster?.[Symbol.asyncDispose]();
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
  const messages: MessageNew[] = [];
  for (let seq = after;;) {
    const page = await listAfter(db, roomId, seq, PAGE);
    messages.push(...page.map(messageOfRow));
    if (page.length < PAGE) break;
    seq = page.at(-1)!.seq;
  }
  const { last_seq: lastSeq } = await db.selectFrom("rooms").select("last_seq")
    .where("id", "=", roomId).executeTakeFirstOrThrow();
  return { roomId, lastSeq, messages };
}
