/** The baseline's statements: one a step, prepared, through a pool as large as ChatKet's. */

import { randomUUID } from "node:crypto";
import pg from "pg";

const POOL_SIZE = 10;

export function createStore(connectionString) {
  const pool = new pg.Pool({ connectionString, max: POOL_SIZE });
  const all = async (name, text, values, client = pool) =>
    (await client.query({ name, text, values })).rows;

  return {
    async isMember(roomId, userId) {
      const rows = await all(
        "is_member",
        "select 1 from memberships where room_id = $1 and user_id = $2",
        [roomId, userId],
      );
      return rows.length > 0;
    },

    async findDuplicate(roomId, userId, clientMsgId) {
      const [row] = await all(
        "find_duplicate",
        `select message_id from message_dedupe
         where room_id = $1 and user_id = $2 and client_msg_id = $3`,
        [roomId, userId, clientMsgId],
      );
      return row?.message_id;
    },

    /** The message and its dedupe record in one transaction. */
    async createMessage({ roomId, userId, text, clientMsgId }) {
      const client = await pool.connect();
      try {
        await client.query("begin");
        const [message] = await all(
          "insert_message",
          `insert into messages (id, room_id, user_id, text) values ($1, $2, $3, $4)
           returning id, created_at`,
          [randomUUID(), roomId, userId, text],
          client,
        );
        await all(
          "insert_dedupe",
          `insert into message_dedupe (room_id, user_id, client_msg_id, message_id)
           values ($1, $2, $3, $4)`,
          [roomId, userId, clientMsgId, message.id],
          client,
        );
        await client.query("commit");
        return message;
      } catch (error) {
        await client.query("rollback");
        throw error;
      } finally {
        client.release();
      }
    },

    messagesSince: (roomId, since, limit) =>
      all(
        "messages_since",
        `select m.id, m.text, m.created_at, u.id as user_id, u.username
         from messages m join users u on u.id = m.user_id
         where m.room_id = $1 and m.created_at > $2 order by m.created_at limit $3`,
        [roomId, since, limit],
      ),

    newestMessages: (roomId, limit) =>
      all(
        "newest_messages",
        `select m.id, m.text, m.created_at, u.id as user_id, u.username
         from messages m join users u on u.id = m.user_id
         where m.room_id = $1 order by m.created_at desc limit $2`,
        [roomId, limit],
      ),

    members: (roomId) =>
      all(
        "members",
        `select u.id, u.username from memberships m join users u on u.id = m.user_id
         where m.room_id = $1 order by u.username`,
        [roomId],
      ),
  };
}
