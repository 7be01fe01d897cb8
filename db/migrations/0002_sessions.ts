import { type Kysely, sql } from "kysely";

/** Sessions that can be ended, and addresses to which login codes are mailed. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table sessions (
      id uuid primary key,
      user_id uuid not null references users on delete cascade,
      refresh_hash text not null,
      user_agent text not null,
      created_at timestamptz(3) not null,
      last_used_at timestamptz(3) not null,
      expires_at timestamptz(3) not null,
      revoked_at timestamptz(3)
    )`.execute(db);
  await sql`create index sessions_by_user on sessions (user_id)`.execute(db);
  await sql`
    create index sessions_by_revocation on sessions (revoked_at)
      where revoked_at is not null`.execute(db);

  await sql`
    alter table users
      add column tokens_from timestamptz(3),
      add column email text,
      add column signed_in_at timestamptz(3)`.execute(db);
  // Whoever has a name already may have used it: nobody else must claim it with an address of theirs.
  await sql`update users set signed_in_at = created_at`.execute(db);

  await sql`alter table login_codes add column email text`.execute(db);
}
