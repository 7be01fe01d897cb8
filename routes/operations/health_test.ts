import {
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
} from "kysely";
import assert from "node:assert/strict";
import type { Schema } from "../../db/schema.ts";
import { recordingLog } from "../../tests/helpers/log.ts";
import type { RouteDeps } from "../deps.ts";
import { healthRoutes } from "./health.ts";

/** A database that gives every query this outcome. */
function databaseThat(answer: () => Promise<void>): Kysely<Schema> {
  const driver = new class extends DummyDriver {
    override async acquireConnection() {
      await answer();
      return await super.acquireConnection();
    }
  }();
  return new Kysely<Schema>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => driver,
      createIntrospector: (db) => new PostgresIntrospector(db),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
  });
}

async function ask(
  path: string,
  { db, draining = false }: { db: Kysely<Schema>; draining?: boolean },
) {
  const log = recordingLog();
  const deps = { db, log, realtime: { draining } } as unknown as RouteDeps;
  const answer = await healthRoutes(deps).request(path);
  return { answer, body: await answer.json(), log: log.lines.join("\n") };
}

const up = databaseThat(() => Promise.resolve());
const down = databaseThat(() =>
  Promise.reject(new Error("connect ECONNREFUSED 10.0.0.5:5432"))
);

Deno.test("/ready is 200 while the database answers", async () => {
  const { answer, body } = await ask("/ready", { db: up });
  assert.equal(answer.status, 200);
  assert.deepEqual(body, { status: "ok" });
});

Deno.test("/ready is 503 when the database does not answer, and says why only in the log", async () => {
  const { answer, body, log } = await ask("/ready", { db: down });
  assert.equal(answer.status, 503);
  assert.equal(body.code, "unavailable");
  assert.ok(Number(answer.headers.get("retry-after")) > 0);
  assert.ok(!JSON.stringify(body).includes("10.0.0.5"));
  assert.ok(log.includes("ECONNREFUSED"));
});

Deno.test("/ready is 503 while the server drains, though the database answers", async () => {
  const { answer } = await ask("/ready", { db: up, draining: true });
  assert.equal(answer.status, 503);
});

Deno.test("/health is 200 whatever the database does", async () => {
  for (const path of ["/health", "/api/health"]) {
    const { answer, body } = await ask(path, { db: down, draining: true });
    assert.equal(answer.status, 200);
    assert.deepEqual(body, { status: "ok" });
  }
});
