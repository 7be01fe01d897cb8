import { type Kysely, sql } from "kysely";

/**
 * Changes of messages: edits, deletions, reactions, replies and pins, with a counter for each room.
 * What an unchanged message has stays as small as it was: nothing of this is written for a new one.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  // No index: the row of a room stays where it is as the counter moves (a HOT update).
  await sql`alter table rooms add column last_rev bigint not null default 0`
    .execute(db);

  await sql`
    alter table messages
      add column edited_at timestamptz(3),
      add column text_rev bigint,
      add column deleted_at timestamptz(3),
      add column deleted_by text,
      add column reply_to uuid,
      add column reply_to_seq bigint,
      add column reply_to_user_id uuid references users`.execute(db);
  await sql`
    create index messages_by_quoted on messages (room_id, reply_to_seq)
      where reply_to_seq is not null`.execute(db);

  // One row for each changed message: its number moves with every change, so nothing ever has to be
  // removed from here, and a client of any age is brought up to date.
  await sql`
    create table message_changes (
      room_id uuid not null,
      seq bigint not null,
      rev bigint not null,
      primary key (room_id, seq),
      unique (room_id, rev),
      foreign key (room_id, seq) references messages (room_id, seq)
        on delete cascade
    )`.execute(db);

  await sql`
    create table message_edits (
      message_id uuid not null references messages on delete cascade,
      number integer not null,
      text text not null,
      at timestamptz(3) not null,
      primary key (message_id, number)
    )`.execute(db);

  await sql`
    create table reactions (
      message_id uuid not null references messages on delete cascade,
      emoji text not null,
      user_id uuid not null references users on delete cascade,
      rev bigint not null,
      first_rev bigint not null,
      primary key (message_id, emoji, user_id)
    )`.execute(db);
  await sql`create index reactions_by_user on reactions (user_id)`.execute(db);

  await sql`
    create table pins (
      message_id uuid primary key references messages on delete cascade,
      room_id uuid not null references rooms on delete cascade,
      user_id uuid not null references users,
      rev bigint not null,
      at timestamptz(3) not null,
      unique (room_id, rev)
    )`.execute(db);
  await sql`create index pins_by_user on pins (user_id)`.execute(db);

  // One row, which the first process of a new database makes.
  await sql`
    create table deployment (
      id boolean primary key default true check (id),
      epoch uuid not null,
      namespace uuid not null
    )`.execute(db);
}
