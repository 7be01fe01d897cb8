/** How a stored message is read, with all that stands with it: one query, whatever page it is for. */

import { type RawBuilder, sql } from "kysely";
import { MAX_QUOTE_LENGTH } from "../text/quote.ts";
import type { Database } from "./engine/database.ts";

/** Most users named with a reaction; the count beside them is exact. */
export const MAX_REACTION_USERS = 10;

/** An emoji that users have put to a message. */
export interface ReactionRow {
  emoji: string;
  count: number;
  /** Those who came first, at most {@link MAX_REACTION_USERS}. */
  userIds: string[];
}

/** A stored message with its author's name, in its present state. Null: it has none of it. */
export interface MessageRow {
  id: string;
  room_id: string;
  seq: number;
  user_id: string;
  username: string;
  client_msg_id: string;
  text: string;
  created_at: Date;
  rev: number | null;
  edited_at: Date | null;
  deleted_at: Date | null;
  deleted_by: "author" | "moderator" | null;
  pinned_at: Date | null;
  /** The change that pinned it: pins stand in this order. */
  pin_rev: number | null;
  /** In the order in which each emoji first came. */
  reactions: ReactionRow[] | null;
  reply_to: string | null;
  reply_to_seq: number | null;
  reply_to_user_id: string | null;
  reply_to_username: string | null;
  /** The quoted text as it is now, cut; null when that message is deleted or gone. */
  reply_to_text: string | null;
}

/**
 * Reads messages in order of room and number.
 *
 * @param found a query whose rows are those of `messages`
 */
export async function readMessages(
  db: Database,
  found: RawBuilder<unknown>,
): Promise<MessageRow[]> {
  // One look-up each, whatever the planner thinks of the tables' sizes. What only a changed message can
  // have is not looked for at the others.
  const { rows } = await sql<MessageRow>`
    select m.id, m.room_id, m.seq, m.user_id, u.username, m.client_msg_id, m.text, m.created_at,
      change.rev, m.edited_at, m.deleted_at, m.deleted_by, pin.at as pinned_at, pin.rev as pin_rev, reacted.reactions,
      m.reply_to, m.reply_to_seq, m.reply_to_user_id,
      quoted_user.username as reply_to_username, quoted.text as reply_to_text
    from (${found}) m
    join users u on u.id = m.user_id
    left join lateral (
      select c.rev from message_changes c where c.room_id = m.room_id and c.seq = m.seq limit 1
    ) change on true
    left join lateral (
      select p.at, p.rev from pins p where p.message_id = m.id and change.rev is not null limit 1
    ) pin on true
    left join lateral (
      select json_agg(
        json_build_object('emoji', emoji, 'count', count, 'userIds', user_ids) order by first_rev
      ) as reactions
      from (
        select r.emoji, count(*), min(r.first_rev) as first_rev,
          (array_agg(r.user_id order by r.rev))[1:${
    sql.lit(MAX_REACTION_USERS)
  }] as user_ids
        from reactions r where r.message_id = m.id and change.rev is not null group by r.emoji
      ) by_emoji
    ) reacted on true
    left join users quoted_user on quoted_user.id = m.reply_to_user_id
    left join lateral (
      select left(q.text, ${sql.lit(MAX_QUOTE_LENGTH)}) as text from messages q
      where q.room_id = m.room_id and q.seq = m.reply_to_seq and q.deleted_at is null limit 1
    ) quoted on true
    order by m.room_id, m.seq
  `.execute(db);
  return rows;
}
