/** The PostgreSQL that every server under test uses, and the people in it. */

import postgres from "postgres";
import { signSession } from "../routes/auth/access_tokens.ts";
import { createSessionKeys } from "../routes/auth/session_keys.ts";
import { startPostgres } from "../tests/helpers/postgres.ts";
import type { Person } from "./load/job.ts";
import { parentOf } from "./load/proc.ts";

/** Signs sessions; known here so that thousands of people need no sign-in. */
export const JWT_SECRET = "only for measuring, on this machine alone";

const DAY_SECONDS = 86_400;

export interface BenchPostgres extends AsyncDisposable {
  readonly version: string;
  /** PostgreSQL's first process. */
  readonly pid: number;
  /** Makes an empty database and gives its URL. */
  createDatabase(): Promise<string>;
  /** Statements executed since the last call, by anybody but this object. */
  countStatements(): Promise<number>;
}

/** A server whose commits wait for the disk, as in production. */
export async function startBenchPostgres(): Promise<BenchPostgres> {
  const cluster = await startPostgres({ fsync: true });
  const first = connect(cluster.url());
  await first.unsafe(
    "alter system set shared_preload_libraries = 'pg_stat_statements'",
  );
  await first.end();
  await cluster.stop("fast");
  await cluster.start();
  const admin = connect(cluster.url());
  await admin.unsafe("create extension pg_stat_statements");
  const [backend] = await admin`select pg_backend_pid() as pid`;
  let made = 0;
  return {
    version: cluster.version,
    pid: parentOf(backend!.pid),
    async createDatabase() {
      const name = `bench_${made++}`;
      await admin.unsafe(`create database ${name}`);
      return cluster.url(name);
    },
    async countStatements() {
      const [row] = await admin`
        select coalesce(sum(calls), 0)::int as calls from pg_stat_statements
        where dbid <> (select oid from pg_database where datname = 'postgres')`;
      await admin`select pg_stat_statements_reset()`;
      return row!.calls;
    },
    async [Symbol.asyncDispose]() {
      await admin.end();
      await cluster[Symbol.asyncDispose]();
    },
  };
}

/** Connections as postgres.js makes them, opened on demand. */
export function connect(url: string, connections = 1): postgres.Sql {
  return postgres(url, { max: connections });
}

export interface Population {
  readonly people: Person[];
  readonly rooms: string[];
  /** The position before each room's last `missed` messages. */
  readonly position: { lastSeq: number };
}

/**
 * Puts people into the tables. Each is a member of the room of their index, modulo the rooms, and each
 * room has this many messages, a second apart, the last ones `missed`.
 */
export async function populate(
  url: string,
  wanted: { people: number; rooms: number; messages: number; missed: number },
): Promise<Population> {
  const ids = Array.from({ length: wanted.people }, () => crypto.randomUUID());
  const rooms = Array.from({ length: wanted.rooms }, () => crypto.randomUUID());
  const firstAt = Date.now() - wanted.messages * 1000;
  const client = connect(url);
  try {
    for (const { text, uses } of STATEMENTS) {
      const values = {
        ids,
        rooms,
        messages: wanted.messages,
        firstAt: new Date(firstAt),
      };
      await client.unsafe(text, uses.map((name) => values[name]));
    }
    await client`analyze`;
  } finally {
    await client.end();
  }
  return {
    people: await Promise.all(ids.map(signIn)),
    rooms,
    position: { lastSeq: wanted.messages - wanted.missed },
  };
}

const usernameOf = (index: number) => `person_${index}`;

async function signIn(id: string, index: number): Promise<Person> {
  const username = usernameOf(index);
  const token = await signSession(
    await createSessionKeys(JWT_SECRET),
    { id, username },
    { now: Date.now(), expiresInSeconds: DAY_SECONDS },
  );
  return { id, username, token };
}

type Value = "ids" | "rooms" | "messages" | "firstAt";

const MESSAGE_TEXT =
  "'~ message ' || n || ', an ordinary line of chat that says a little more than hello'";

/** Message n (from 1) of a room is of member n modulo the people, n seconds after the first. */
const STATEMENTS: { text: string; uses: Value[] }[] = [
  {
    text: `insert into users (id, username, created_at, updated_at)
        select id, 'person_' || ord - 1, now(), now()
        from unnest($1::uuid[]) with ordinality as u(id, ord)`,
    uses: ["ids"],
  },
  {
    text: `insert into rooms
          (id, name, name_key, created_by, created_at, last_seq, last_activity_at)
        select id, 'Room ' || ord, 'room ' || ord, ($2::uuid[])[1], now(), $3::int, now()
        from unnest($1::uuid[]) with ordinality as r(id, ord)`,
    uses: ["rooms", "ids", "messages"],
  },
  {
    text: `insert into memberships
          (room_id, user_id, joined_at, last_seen_at, last_seen_seq)
        select ($2::uuid[])[(1 + (ord - 1) % cardinality($2::uuid[]))::int], id, now(), now(), 0
        from unnest($1::uuid[]) with ordinality as u(id, ord)
        where cardinality($2::uuid[]) > 0`,
    uses: ["ids", "rooms"],
  },
  {
    text: `insert into messages
          (id, room_id, seq, user_id, client_msg_id, text, created_at)
        select gen_random_uuid(), room_id, n, ($2::uuid[])[1 + n % cardinality($2::uuid[])],
          gen_random_uuid(), ${MESSAGE_TEXT}, $4::timestamptz + n * interval '1 second'
        from unnest($1::uuid[]) as r(room_id), generate_series(1, $3::int) as n`,
    uses: ["rooms", "ids", "messages", "firstAt"],
  },
];
