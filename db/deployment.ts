/** What names this database among others: for clients, and for processes that share a Redis. */

import { sql } from "kysely";
import type { Database } from "./engine/database.ts";

export interface Deployment {
  /** Names the history: a restored backup begins another one. */
  epoch: string;
  /** Sets this chat apart from others on the same Redis. */
  namespace: string;
}

/** Reads the names; the first process of a new database gives them. */
export async function readDeployment(db: Database): Promise<Deployment> {
  await db.insertInto("deployment").values({
    epoch: crypto.randomUUID(),
    namespace: crypto.randomUUID(),
  }).onConflict((conflict) => conflict.doNothing()).execute();
  return await db.selectFrom("deployment").select(["epoch", "namespace"])
    .executeTakeFirstOrThrow();
}

/** The epoch that the database has now. */
export async function readEpoch(db: Database): Promise<string> {
  const { epoch } = await db.selectFrom("deployment").select("epoch")
    .executeTakeFirstOrThrow();
  return epoch;
}

/** Begins another epoch, unless another process has. @returns the one that counts from now on */
export async function renewEpoch(
  db: Database,
  known: string,
): Promise<string> {
  await db.updateTable("deployment").set({ epoch: crypto.randomUUID() })
    .where("epoch", "=", known).execute();
  return await readEpoch(db);
}

/** Begins another history, which is not the one that others may hold or be part of. */
export async function renewDeployment(db: Database): Promise<void> {
  await sql`delete from deployment`.execute(db);
  await readDeployment(db);
}
