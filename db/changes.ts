/** Changes of stored messages: edits, deletions, reactions and pins. */

import { sql } from "kysely";
import type { Database } from "./engine/database.ts";
import { type MessageRow, readMessages } from "./message_rows.ts";

/** Earlier texts of a message that are kept; of more edits than that the oldest are forgotten. */
export const MAX_KEPT_EDITS = 50;

/** What a user wants to change about a message. Repeating it changes nothing. */
export type MessageChange =
  & {
    roomId: string;
    messageId: string;
    userId: string;
    /** The user has changed too much already: only what changes nothing is done. */
    isOverLimit?: boolean;
  }
  & (
    | { kind: "edit"; text: string; baseRev?: number | undefined }
    | { kind: "delete" }
    | { kind: "reaction"; emoji: string; on: boolean }
    | { kind: "pin"; on: boolean }
  );

/** What is stored about a change: the room, its user's place in it, and the message. */
export interface ChangeTarget {
  /** Undefined: there is no such room. */
  room: { lastRev: number; createdBy: string; pinCount: number } | undefined;
  isMember: boolean;
  /** Undefined: the room has no such message. */
  message: TargetMessage | undefined;
}

export interface TargetMessage {
  seq: number;
  userId: string;
  text: string;
  /** When the text was written. */
  writtenAt: Date;
  isDeleted: boolean;
  /** `rev` of the last change, and of the last edit; 0 where there was none. */
  rev: number;
  textRev: number;
  isPinned: boolean;
  /** Number of the last edit. */
  edits: number;
  /** The emoji of a message that a reaction is for. */
  emoji: readonly { emoji: string; count: number; firstRev: number }[];
  /** Whether the user has put this very reaction. */
  isReacted: boolean;
}

/** What is to be written; lists may be empty. No message or reaction is in two lists that contradict. */
export interface ChangeWrites {
  /** The newest change of each room. */
  rooms: { roomId: string; lastRev: number }[];
  /** The last change of each changed message. */
  messages: { roomId: string; seq: number; rev: number }[];
  texts: { messageId: string; text: string; rev: number }[];
  /** The texts before them. */
  versions: { messageId: string; number: number; text: string; at: Date }[];
  deletions: { messageId: string; by: "author" | "moderator" }[];
  reactions: (ReactionKey & { rev: number; firstRev: number })[];
  withdrawn: ReactionKey[];
  pins: { messageId: string; roomId: string; userId: string; rev: number }[];
  unpinned: { messageId: string }[];
}

interface ReactionKey {
  messageId: string;
  emoji: string;
  userId: string;
}

/**
 * Changes messages of any rooms as one commit.
 *
 * The rooms are locked first, in order of their ids, as `storeMessages` locks them; what is read after
 * that is what every earlier writer has committed, and stays so: `decide` sees the truth, whichever
 * process was faster. A membership it has seen cannot end before the commit.
 *
 * @param decide says what comes of the changes, in their order, and what is to be written for it
 * @param now becomes the time of edits, deletions and pins
 * @returns what `decide` said, and the present state of every message that was named, by id
 */
export async function changeMessages<D extends { writes: ChangeWrites }>(
  db: Database,
  changes: readonly MessageChange[],
  decide: (targets: readonly ChangeTarget[]) => D,
  now: Date,
): Promise<{ decision: D; rows: Map<string, MessageRow> }> {
  return await db.transaction().execute(async (inner) => {
    const roomIds = [...new Set(changes.map(({ roomId }) => roomId))];
    await sql`select from rooms where id = any(${roomIds}::uuid[]) order by id for no key update`
      .execute(inner);
    const decision = decide(await readTargets(inner, changes));
    if (decision.writes.rooms.length > 0) {
      await writeChanges(inner, decision.writes, now);
    }
    const named = changes.map(({ roomId, messageId }) => ({
      room_id: roomId,
      message_id: messageId,
    }));
    const rows = await readMessages(
      inner,
      sql`select message.* from (
        select distinct room_id, message_id from json_to_recordset(${
        JSON.stringify(named)
      }::json) as g(room_id uuid, message_id uuid)
      ) n cross join lateral (
        select * from messages m where m.id = n.message_id and m.room_id = n.room_id limit 1
      ) message`,
    );
    return { decision, rows: new Map(rows.map((row) => [row.id, row])) };
  });
}

interface TargetRow {
  last_rev: number | null;
  created_by: string;
  pin_count: number;
  is_member: boolean | null;
  seq: number | null;
  user_id: string;
  text: string;
  written_at: Date;
  deleted_at: Date | null;
  text_rev: number | null;
  rev: number | null;
  is_pinned: boolean | null;
  edits: number | null;
  emoji: { emoji: string; count: number; firstRev: number }[] | null;
  is_reacted: boolean;
}

async function readTargets(
  db: Database,
  changes: readonly MessageChange[],
): Promise<ChangeTarget[]> {
  const given = changes.map((change, index) => ({
    index,
    kind: change.kind,
    room_id: change.roomId,
    message_id: change.messageId,
    user_id: change.userId,
    emoji: change.kind === "reaction" ? change.emoji : null,
  }));
  const { rows } = await sql<TargetRow>`
    select room.*, member.is_member, message.*, change.rev, pin.is_pinned, edit.edits,
      reacted.emoji, exists (
        select from reactions r where r.message_id = g.message_id and r.emoji = g.emoji
          and r.user_id = g.user_id
      ) as is_reacted
    from json_to_recordset(${JSON.stringify(given)}::json) as g(
      index int, kind text, room_id uuid, message_id uuid, user_id uuid, emoji text
    )
    left join lateral (
      select r.last_rev, r.created_by, (
        select count(*) from pins p where p.room_id = r.id and g.kind = 'pin'
      ) as pin_count
      from rooms r where r.id = g.room_id limit 1
    ) room on true
    left join lateral (
      select true as is_member from memberships m
      where m.room_id = g.room_id and m.user_id = g.user_id limit 1 for key share
    ) member on true
    left join lateral (
      select m.seq, m.user_id, m.text, coalesce(m.edited_at, m.created_at) as written_at,
        m.deleted_at, m.text_rev
      from messages m where m.id = g.message_id and m.room_id = g.room_id limit 1
    ) message on true
    left join lateral (
      select c.rev from message_changes c
      where c.room_id = g.room_id and c.seq = message.seq limit 1
    ) change on true
    left join lateral (
      select true as is_pinned from pins p where p.message_id = g.message_id limit 1
    ) pin on true
    left join lateral (
      select max(e.number) as edits from message_edits e
      where e.message_id = g.message_id and g.kind = 'edit'
    ) edit on true
    left join lateral (
      select json_agg(json_build_object('emoji', emoji, 'count', count, 'firstRev', first_rev))
        as emoji
      from (
        select r.emoji, count(*), min(r.first_rev) as first_rev from reactions r
        where r.message_id = g.message_id and g.kind = 'reaction' group by r.emoji
      ) by_emoji
    ) reacted on true
    order by g.index
  `.execute(db);
  return rows.map(targetOf);
}

function targetOf(row: TargetRow): ChangeTarget {
  return {
    room: row.last_rev === null ? undefined : {
      lastRev: row.last_rev,
      createdBy: row.created_by,
      pinCount: row.pin_count,
    },
    isMember: row.is_member === true,
    message: row.seq === null ? undefined : {
      seq: row.seq,
      userId: row.user_id,
      text: row.text,
      writtenAt: row.written_at,
      isDeleted: row.deleted_at !== null,
      rev: row.rev ?? 0,
      textRev: row.text_rev ?? 0,
      isPinned: row.is_pinned === true,
      edits: row.edits ?? 0,
      emoji: row.emoji ?? [],
      isReacted: row.is_reacted,
    },
  };
}

/** A list as rows of a statement. */
const rowsOf = (list: readonly unknown[]) => sql`${JSON.stringify(list)}::json`;

async function writeChanges(
  db: Database,
  writes: ChangeWrites,
  now: Date,
): Promise<void> {
  const deleted = writes.deletions.map(({ messageId }) => messageId);
  const at = sql`${now}::timestamptz`;
  await sql`
    with edited as (
      update messages m set text = t.text, edited_at = ${at}, text_rev = t.rev
      from json_to_recordset(${rowsOf(writes.texts)})
        as t("messageId" uuid, text text, rev bigint)
      where m.id = t."messageId"
    ), kept as (
      insert into message_edits (message_id, number, text, at)
      select * from json_to_recordset(${rowsOf(writes.versions)})
        as v("messageId" uuid, number int, text text, at timestamptz)
    ), forgotten as (
      delete from message_edits e
      using json_to_recordset(${rowsOf(writes.versions)})
        as v("messageId" uuid, number int)
      where e.message_id = v."messageId" and e.number <= v.number - ${
    sql.lit(MAX_KEPT_EDITS)
  }
    ), emptied as (
      update messages m set text = '', edited_at = null, text_rev = null, deleted_at = ${at},
        deleted_by = d.by, reply_to = null, reply_to_seq = null, reply_to_user_id = null
      from json_to_recordset(${
    rowsOf(writes.deletions)
  }) as d("messageId" uuid, by text)
      where m.id = d."messageId"
    ), emptied_edits as (
      delete from message_edits where message_id = any(${deleted}::uuid[])
    ), emptied_reactions as (
      delete from reactions where message_id = any(${deleted}::uuid[])
    ), reacted as (
      insert into reactions (message_id, emoji, user_id, rev, first_rev)
      select * from json_to_recordset(${rowsOf(writes.reactions)})
        as r("messageId" uuid, emoji text, "userId" uuid, rev bigint, "firstRev" bigint)
    ), withdrawn as (
      delete from reactions r
      using json_to_recordset(${rowsOf(writes.withdrawn)})
        as w("messageId" uuid, emoji text, "userId" uuid)
      where r.message_id = w."messageId" and r.emoji = w.emoji and r.user_id = w."userId"
    ), pinned as (
      insert into pins (message_id, room_id, user_id, rev, at)
      select p.*, ${at} from json_to_recordset(${rowsOf(writes.pins)})
        as p("messageId" uuid, "roomId" uuid, "userId" uuid, rev bigint)
    ), unpinned as (
      delete from pins p using json_to_recordset(${rowsOf(writes.unpinned)})
        as u("messageId" uuid)
      where p.message_id = u."messageId"
    ), changed as (
      insert into message_changes as c (room_id, seq, rev)
      select * from json_to_recordset(${rowsOf(writes.messages)})
        as m("roomId" uuid, seq bigint, rev bigint)
      on conflict (room_id, seq) do update set rev = excluded.rev
    )
    update rooms r set last_rev = n."lastRev"
    from json_to_recordset(${
    rowsOf(writes.rooms)
  }) as n("roomId" uuid, "lastRev" bigint)
    where r.id = n."roomId"
  `.execute(db);
}
