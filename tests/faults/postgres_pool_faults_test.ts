/**
 * The pool of connections while its server and its connections break in every way, under twenty workers:
 * nobody waits for ever, no error goes past the caller, nothing that was committed is missing, and closing
 * the pool ends. Two rounds in the gate, ten in `deno task shows`.
 */

import { Kysely, sql } from "kysely";
import assert from "node:assert/strict";
import { isUnavailable } from "../../db/engine/errors.ts";
import { postgresDialect } from "../../db/engine/postgres.ts";
import { parsePostgresServer } from "../../db/engine/postgres_server.ts";
import { silentLog } from "../helpers/log.ts";
import {
  execute,
  type PostgresCluster,
  postgresMissing,
  startPostgres,
} from "../helpers/postgres.ts";
import { isQuietMachine, stopwatch } from "../helpers/timing.ts";
import { FaultProxy } from "./proxy.ts";
import { report } from "./report.ts";
import { sleep } from "./sleep.ts";

const ROUNDS = isQuietMachine ? 10 : 2;

/** Twice as many as there are connections, so that half of them wait for one. */
const WORKERS = 20;
const POOL_SIZE = 10;

/** Longer than a query takes on a busy machine, shorter than the wait for a connection. */
const QUERY_TIMEOUT_MS = 1_000;

/** A server that restarts, or a connection that leads nowhere, is away for so long, in milliseconds. */
const AWAY_MS = 300;

/** Who got no answer in so long hangs, in milliseconds. */
const PATIENCE_MS = 30_000;

type Fault = (cluster: PostgresCluster, proxy: FaultProxy) => Promise<void>;

const restart = (mode: "fast" | "immediate"): Fault => async (cluster) => {
  await cluster.stop(mode);
  await sleep(AWAY_MS);
  await cluster.start();
};

const BACKENDS =
  "pg_stat_activity where pid <> pg_backend_pid() and backend_type = 'client backend'";

/** Each is over when its promise resolves. */
const FAULTS: Readonly<Record<string, Fault>> = {
  "the server is stopped fast and started again": restart("fast"),
  "the server is stopped at once and started again": restart("immediate"),
  "all backends are terminated": async (cluster) => {
    await execute(
      cluster.url(),
      `select pg_terminate_backend(pid) from ${BACKENDS}`,
    );
  },
  "a backend is killed by kill -9": async (cluster) => {
    const [one] = await execute(
      cluster.url(),
      `select pid from ${BACKENDS} limit 1`,
    );
    Deno.kill(one!.pid, "SIGKILL");
  },
  "connections are reset": (_, proxy) => Promise.resolve(proxy.cutAll("reset")),
  "connections freeze, new ones too for a while": async (_, proxy) => {
    proxy.setMode("discard");
    await sleep(QUERY_TIMEOUT_MS + AWAY_MS);
    // Those that are open stay dead.
    proxy.heal();
  },
};

for (const [name, fault] of Object.entries(FAULTS)) {
  Deno.test({
    name: `twenty workers on a pool of ten: ${name}`,
    ignore: await postgresMissing() !== undefined,
    async fn() {
      for await (const { cluster, proxy, work } of rounds()) {
        await fault(cluster, proxy);
        const took = stopwatch();
        await work.goesOn();
        report(`the slowest worker was back after ${took().toFixed(0)} ms`);
        await work.end();
      }
    },
  });
}

Deno.test({
  name:
    "twenty workers on a pool of ten: it is closed while connections are frozen",
  ignore: await postgresMissing() !== undefined,
  async fn() {
    for await (const { proxy, work } of rounds()) {
      proxy.setMode("discard");
      await work.end();
    }
  },
});

/** A server, and for each round workers that work. */
async function* rounds() {
  await using cluster = await startPostgres({ fsync: true });
  await execute(cluster.url(), "create table kept (id uuid primary key)");
  const proxy = await FaultProxy.listen(Number(new URL(cluster.url()).port));
  try {
    for (let round = 1; round <= ROUNDS; round++) {
      proxy.heal();
      yield { cluster, proxy, work: await startWork(cluster, proxy) };
    }
  } finally {
    await proxy.close();
  }
}

/** Workers at work on a pool of their own, whose connections go through the proxy. */
async function startWork(cluster: PostgresCluster, proxy: FaultProxy) {
  const url = new URL(cluster.url());
  url.port = String(proxy.port);
  const { dialect, pool } = postgresDialect(
    parsePostgresServer(url.href, () => undefined),
    false,
    silentLog,
    { size: POOL_SIZE, queryTimeoutMs: QUERY_TIMEOUT_MS },
  );
  const db = new Kysely<Kept>({ dialect });
  const workers = Array.from({ length: WORKERS }, (_, n) => new Worker(db, n));
  const working = workers.map((worker) => worker.run());
  const goesOn = () =>
    inTime("work", Promise.all(workers.map((worker) => worker.success())));
  await goesOn();
  return {
    /** Resolves when each worker has got one more answer. */
    goesOn,
    /** Closes the pool while they work, and looks back at what they saw. */
    async end() {
      await inTime("the pool's end", db.destroy());
      await inTime("the workers' end", Promise.all(working));
      assert.deepEqual(pool(), { total: 0, idle: 0, waiting: 0 });
      assert.deepEqual(workers.flatMap((worker) => worker.strange), []);
      await assertKept(cluster, workers.flatMap((worker) => worker.committed));
    },
  };
}

interface Kept {
  kept: { id: string };
}

/** Asks the database again and again, whatever comes back, until the pool is closed. */
class Worker {
  /** What was committed, as it was told. */
  readonly committed: string[] = [];
  /** Errors that say nothing of a lost database, and answers that are not those to the question. */
  readonly strange: unknown[] = [];
  readonly #db: Kysely<Kept>;
  readonly #number: number;
  #waiting: (() => void)[] = [];

  constructor(db: Kysely<Kept>, number: number) {
    this.#db = db;
    this.#number = number;
  }

  /** Resolves after the next question, from now on, that is answered. */
  success(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async run(): Promise<void> {
    for (let n = 0;; n++) {
      const asked = this.#waiting;
      this.#waiting = [];
      try {
        await (this.#number % 4 === 0 ? this.#write() : this.#read(n));
        for (const resolve of asked) resolve();
      } catch (error) {
        this.#waiting.push(...asked);
        if (isClosed(error)) return;
        if (!isUnavailable(error)) this.strange.push(error);
        // A refusal comes at once; the workers are not to be the fault.
        await sleep(5);
      }
    }
  }

  async #read(n: number): Promise<void> {
    const { rows } = await sql<{ n: number }>`select ${n}::int as n`
      .execute(this.#db);
    if (rows[0]?.n !== n) this.strange.push(rows);
  }

  async #write(): Promise<void> {
    const id = crypto.randomUUID();
    await this.#db.transaction().execute(async (transaction) => {
      await transaction.insertInto("kept").values({ id }).execute();
      await sql`select 1`.execute(transaction);
    });
    this.committed.push(id);
  }
}

const isClosed = (error: unknown) =>
  error instanceof Error && /pool .* closed|destroyed/.test(error.message);

async function assertKept(
  cluster: PostgresCluster,
  committed: readonly string[],
): Promise<void> {
  const { dialect } = postgresDialect(
    parsePostgresServer(cluster.url(), () => undefined),
    false,
    silentLog,
  );
  await using db = new Kysely<Kept>({ dialect });
  const kept = new Set(
    (await db.selectFrom("kept").select("id").execute()).map(({ id }) => id),
  );
  assert.deepEqual(committed.filter((id) => !kept.has(id)), []);
}

function inTime<T>(what: string, work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout>;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`${what}: still waiting`)),
      PATIENCE_MS,
    );
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
