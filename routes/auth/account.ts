/** A user's own data: to take along, or to have removed. */

import { z } from "@hono/zod-openapi";
import {
  accountMessages,
  deleteAccount,
  findAccount,
  listAccountRooms,
} from "../../db/accounts.ts";
import type { Database } from "../../db/engine/database.ts";
import type { RouteDeps } from "../deps.ts";
import {
  type AddCall,
  jsonAnswer,
  restCall,
  restRoutes,
} from "../rest_call.ts";
import { clearSessionCookies } from "./session_cookie.ts";

const Time = z.iso.datetime();

const AccountExport = z.object({
  user: z.object({
    id: z.uuid(),
    username: z.string(),
    email: z.string().nullable(),
    createdAt: Time,
  }),
  rooms: z.array(z.object({
    id: z.uuid(),
    name: z.string(),
    createdAt: Time,
    isCreator: z.boolean(),
    joinedAt: Time.nullable(),
    lastSeenAt: Time.nullable(),
  })),
  messages: z.array(z.object({
    id: z.uuid(),
    roomId: z.uuid(),
    seq: z.int(),
    text: z.string(),
    createdAt: Time,
  })),
}).openapi("AccountExport");

/** Mounted under `/api/account`. */
export function accountRoutes(deps: RouteDeps) {
  return restRoutes(deps, [addExportAccount, addDeleteAccount]);
}

const addExportAccount: AddCall = (app, deps) => {
  const call = restCall(deps, {
    method: "get",
    path: "/export",
    operationId: "exportAccount",
    tag: "Account",
    summary: "All that is stored about the signed-in user",
    description: "Messages come room by room, in no order within a room.",
    answers: { 200: jsonAnswer("The data, as a file", AccountExport) },
  });
  app.openapi(call, async (c) => {
    const { db } = deps;
    const { user } = c.var.session;
    const head = await exportHead(db, user.id);
    const text = ReadableStream.from(exportText(db, user.id, head));
    const answer: Response = c.body(
      text.pipeThrough(new TextEncoderStream()),
      200,
      {
        "content-type": "application/json",
        "content-disposition":
          `attachment; filename="chatket-${user.username}.json"`,
        "cache-control": "no-store",
      },
    );
    // The document is written as a stream, which the types of a JSON answer do not know.
    return answer as never;
  });
};

const addDeleteAccount: AddCall = (app, deps) => {
  const call = restCall(deps, {
    method: "delete",
    path: "/",
    operationId: "deleteAccount",
    tag: "Account",
    summary: "Remove the signed-in user",
    description:
      "Name, address, memberships and sessions go at once; sockets are closed with 4401. Messages stay, their author is shown as `deleted`.",
    answers: { 204: { description: "Removed" } },
  });
  app.openapi(call, async (c) => {
    const { db, realtime, config, clock } = deps;
    const { user } = c.var.session;
    const roomIds = await deleteAccount(db, user.id, new Date(clock()));
    realtime.membership.userRemoved(user, roomIds);
    realtime.closeUser(user.id);
    clearSessionCookies(c, config, user.id);
    return c.body(null, 204);
  });
};

async function exportHead(db: Database, userId: string) {
  const { id, username, email, created_at } = await findAccount(db, userId);
  const rooms = await listAccountRooms(db, userId);
  return {
    user: { id, username, email, createdAt: created_at.toISOString() },
    rooms: rooms.map((room) => ({
      id: room.id,
      name: room.name,
      createdAt: room.created_at.toISOString(),
      isCreator: room.created_by === userId,
      joinedAt: room.joined_at?.toISOString() ?? null,
      lastSeenAt: room.last_seen_at?.toISOString() ?? null,
    })),
  };
}

/** The export as JSON text, a page of messages at a time: all of them may not fit into memory. */
async function* exportText(
  db: Database,
  userId: string,
  head: Awaited<ReturnType<typeof exportHead>>,
): AsyncGenerator<string> {
  yield `${JSON.stringify(head).slice(0, -1)},"messages":[`;
  let separator = "";
  for await (const page of accountMessages(db, userId)) {
    const messages = page.map((row) =>
      JSON.stringify({
        id: row.id,
        roomId: row.room_id,
        seq: row.seq,
        text: row.text,
        createdAt: row.created_at.toISOString(),
      })
    );
    yield separator + messages.join(",");
    separator = ",";
  }
  yield "]}";
}
