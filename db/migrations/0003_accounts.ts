import { type Kysely, sql } from "kysely";

/** When sessions were last refreshed, and an index for names that nobody has signed in under. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table sessions add column refreshed_at timestamptz(3)`
    .execute(db);
  await sql`
    create index users_never_signed_in on users (created_at)
      where signed_in_at is null`.execute(db);

  // Requests beside the deletion of an account could leave these behind.
  await sql`
    delete from memberships m using users u
    where u.id = m.user_id and u.username like 'deleted:%'`.execute(db);
  await sql`
    update sessions s set revoked_at = now() from users u
    where u.id = s.user_id and u.username like 'deleted:%' and s.revoked_at is null`
    .execute(db);
}
