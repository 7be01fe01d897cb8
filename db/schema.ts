/** Row types of every table, as the queries see them. The tables themselves: `migrations/`. */

import type { ColumnType, Generated } from "kysely";

/**
 * Latest time that JavaScript and PostgreSQL write in the same way: the end of the year 9999, in
 * milliseconds since 1970.
 */
export const MAX_TIME_MS = Date.UTC(10_000, 0) - 1;

/** Set when the row is made, never changed after. */
type Fixed<T> = ColumnType<T, T, never>;

export interface UsersTable {
  id: Fixed<string>;
  /** Lower case, 3–20 of `[a-z0-9_]`; `deleted:` and the id when the user is gone. */
  username: string;
  created_at: Fixed<Date>;
  updated_at: Date;
  /** Tokens without a session that were issued before this moment are void. */
  tokens_from: Generated<Date | null>;
  /** Where login codes go; proven by a code that was sent there. */
  email: Generated<string | null>;
  /** The first sign-in; until then the name can be claimed by verifying an address. */
  signed_in_at: Generated<Date | null>;
}

/** A sign-in: the tokens that came of it live and end together. */
export interface SessionsTable {
  id: Fixed<string>;
  user_id: Fixed<string>;
  /** Hash of the one refresh token that is good now. */
  refresh_hash: string;
  user_agent: string;
  created_at: Fixed<Date>;
  /** Within a few minutes. */
  last_used_at: Date;
  expires_at: Date;
  revoked_at: Generated<Date | null>;
  /** When the refresh token that is good now took the place of another. */
  refreshed_at: Generated<Date | null>;
}

/** The one login code a user may have; a new code takes the place of the old. */
export interface LoginCodesTable {
  user_id: Fixed<string>;
  /** Keyed HMAC of the code. */
  code_hash: string;
  expires_at: Date;
  /** Wrong and right tries made with this code. */
  attempts: number;
  used_at: Date | null;
  created_at: Date;
  /** The address the code was sent to, when it is not known to be its user's yet. */
  email: Generated<string | null>;
}

export interface RoomsTable {
  id: Fixed<string>;
  name: string;
  /** The name as it is compared (`nameKey`): unique without regard to case. */
  name_key: string;
  /** The name as it is searched (`foldForSearch`); null where an older version made the room. */
  search_key: Generated<string | null>;
  created_by: Fixed<string>;
  created_at: Fixed<Date>;
  /** `seq` of the newest message; 0 in an empty room. */
  last_seq: Generated<number>;
  /** `rev` of the newest change; 0 where nothing was changed. */
  last_rev: Generated<number>;
  /** Time of the newest message, or of the room's making. Never decreases. */
  last_activity_at: Date;
}

export interface MembershipsTable {
  room_id: Fixed<string>;
  user_id: Fixed<string>;
  joined_at: Fixed<Date>;
  last_seen_at: Date;
  /** `seq` of the newest message the member has read. */
  last_seen_seq: number;
}

export interface MessagesTable {
  id: Fixed<string>;
  room_id: Fixed<string>;
  seq: Fixed<number>;
  user_id: Fixed<string>;
  /** Unique for the user in the room: the deduplication key. */
  client_msg_id: Fixed<string>;
  /** Empty when the message is deleted. */
  text: string;
  created_at: Fixed<Date>;
  edited_at: Generated<Date | null>;
  /** `rev` of the last edit. */
  text_rev: Generated<number | null>;
  deleted_at: Generated<Date | null>;
  deleted_by: Generated<"author" | "moderator" | null>;
  /** The message that this one answers: its id, number and author. It may be gone by its age. */
  reply_to: Generated<string | null>;
  reply_to_seq: Generated<number | null>;
  reply_to_user_id: Generated<string | null>;
}

/** The `rev` of a message's last change. A message that never changed has no row. */
export interface MessageChangesTable {
  room_id: Fixed<string>;
  seq: Fixed<number>;
  rev: number;
}

/** A text that a message had before it was edited. */
export interface MessageEditsTable {
  message_id: Fixed<string>;
  /** Counts up with each edit of the message. */
  number: Fixed<number>;
  text: Fixed<string>;
  /** When it was written. */
  at: Fixed<Date>;
}

export interface ReactionsTable {
  message_id: Fixed<string>;
  emoji: Fixed<string>;
  user_id: Fixed<string>;
  /** The change that brought it: users are named in this order. */
  rev: Fixed<number>;
  /** The change that brought this emoji to the message: emoji stand in this order. */
  first_rev: Fixed<number>;
}

export interface PinsTable {
  message_id: Fixed<string>;
  room_id: Fixed<string>;
  /** Who pinned it. */
  user_id: Fixed<string>;
  /** The change that pinned it: pins stand in this order. */
  rev: Fixed<number>;
  at: Fixed<Date>;
}

/** One row: see `deployment.ts`. */
export interface DeploymentTable {
  epoch: string;
  namespace: string;
}

export interface Schema {
  users: UsersTable;
  sessions: SessionsTable;
  login_codes: LoginCodesTable;
  rooms: RoomsTable;
  memberships: MembershipsTable;
  messages: MessagesTable;
  message_changes: MessageChangesTable;
  message_edits: MessageEditsTable;
  reactions: ReactionsTable;
  pins: PinsTable;
  deployment: DeploymentTable;
}
