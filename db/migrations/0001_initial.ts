import { type Kysely, sql } from "kysely";

/** Users, login codes, rooms, memberships and messages. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table users (
      id uuid primary key,
      username text not null unique,
      created_at timestamptz(3) not null,
      updated_at timestamptz(3) not null
    )`.execute(db);

  await sql`
    create table login_codes (
      user_id uuid primary key references users on delete cascade,
      code_hash text not null,
      expires_at timestamptz(3) not null,
      attempts integer not null default 0,
      used_at timestamptz(3),
      created_at timestamptz(3) not null
    )`.execute(db);

  // Every message updates its room's row. With room left in the page, and no index on what changes, the
  // new version stays beside the old one and no index grows (a HOT update).
  await sql`
    create table rooms (
      id uuid primary key,
      name text not null,
      name_key text not null unique,
      created_by uuid not null references users,
      created_at timestamptz(3) not null,
      last_seq bigint not null default 0,
      last_activity_at timestamptz(3) not null
    ) with (fillfactor = 50)`.execute(db);
  await sql`create index rooms_by_creator on rooms (created_by)`.execute(db);

  await sql`
    create table memberships (
      room_id uuid not null references rooms on delete cascade,
      user_id uuid not null references users on delete cascade,
      joined_at timestamptz(3) not null,
      last_seen_at timestamptz(3) not null,
      last_seen_seq bigint not null,
      primary key (room_id, user_id)
    )`.execute(db);
  await sql`create index memberships_by_user on memberships (user_id)`.execute(
    db,
  );

  await sql`
    create table messages (
      id uuid primary key,
      room_id uuid not null references rooms on delete cascade,
      seq bigint not null,
      user_id uuid not null references users,
      client_msg_id uuid not null,
      text text not null,
      created_at timestamptz(3) not null,
      unique (room_id, seq),
      unique (user_id, room_id, client_msg_id)
    )`.execute(db);
  await sql`create index messages_by_time on messages (room_id, created_at, seq)`
    .execute(db);
}
