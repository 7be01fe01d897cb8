/** A room's history, page by page. Messages are made over the realtime connection only. */

import { z } from "@hono/zod-openapi";
import type { Database } from "../../db/engine/database.ts";
import { findSeq, listAfter, listBefore } from "../../db/message_history.ts";
import { messageOfRow } from "../../realtime/messages/message_view.ts";
import { MessagePage } from "../../realtime/protocol/messages.ts";
import type { RouteDeps } from "../deps.ts";
import { EXAMPLE } from "../docs/examples.ts";
import { answerInvalid } from "../middleware/validation.ts";
import { problem } from "../problems.ts";
import {
  type AddCall,
  jsonAnswer,
  restCall,
  restRoutes,
} from "../rest_call.ts";
import { findDenial } from "../rooms/room_access.ts";
import { RoomParams } from "../rooms/room_schemas.ts";
import { limitUpTo, MAX_PAGE } from "../schemas.ts";

/** Messages on a page when the caller names no limit. */
export const DEFAULT_PAGE = 50;

export const MessagesQuery = z.object({
  limit: limitUpTo(MAX_PAGE).optional(),
  before: z.guid().optional().openapi({
    description:
      "the id of a message of this room: the page ends just before it",
    example: EXAMPLE.messageId,
  }),
  after: z.guid().optional().openapi({
    description:
      "the id of a message of this room: the page begins just after it",
    example: EXAMPLE.messageId,
  }),
});

/** Mounted under `/api/rooms`. */
export function messageRoutes(deps: RouteDeps) {
  return restRoutes(deps, [addListMessages]);
}

const addListMessages: AddCall = (app, deps) => {
  const call = restCall(deps, {
    method: "get",
    path: "/{id}/messages",
    operationId: "listMessages",
    tag: "Messages",
    summary: "A page of a room's messages, oldest first",
    description:
      "Without a cursor the newest ones. `before` and `after` exclude each other; a cursor that is no message of this room is `bad_cursor`.",
    request: { params: RoomParams, query: MessagesQuery },
    answers: { 200: jsonAnswer("The page", MessagePage) },
    problems: ["bad_cursor", "not_a_member", "room_not_found"],
  });
  app.openapi(call, async (c) => {
    const { db } = deps;
    const { id } = c.req.valid("param");
    const { limit = DEFAULT_PAGE, before, after } = c.req.valid("query");
    if (before !== undefined && after !== undefined) {
      return problem(c, "bad_cursor", {
        detail: "before and after exclude each other",
      });
    }
    const denial = await findDenial(db, "read", id, c.var.session.user.id);
    if (denial !== undefined) return problem(c, denial);
    const page = await readMessagePage(db, id, { limit, before, after });
    if (page === undefined) return problem(c, "bad_cursor");
    return c.json(page, 200);
  }, (result, c) => {
    if (!result.success && result.error.issues.every(isCursorFault)) {
      return problem(
        c,
        result.target === "param" ? "room_not_found" : "bad_cursor",
      );
    }
    return answerInvalid(result, c);
  });
};

function isCursorFault(issue: { path: PropertyKey[] }): boolean {
  return issue.path[0] === "before" || issue.path[0] === "after";
}

/**
 * A page of a room's messages, oldest first: the newest, or those just before or just after one.
 *
 * @returns undefined when the cursor is no message of this room
 */
export async function readMessagePage(
  db: Database,
  roomId: string,
  page: {
    limit: number;
    before?: string | undefined;
    after?: string | undefined;
  },
): Promise<MessagePage | undefined> {
  const cursor = page.before ?? page.after;
  const seq = cursor === undefined
    ? Number.MAX_SAFE_INTEGER
    : await findSeq(db, roomId, cursor);
  if (seq === undefined) return undefined;
  // One row more than asked for shows whether there are more.
  const forward = page.after !== undefined;
  const rows = forward
    ? await listAfter(db, roomId, seq, page.limit + 1)
    : await listBefore(db, roomId, seq, page.limit + 1);
  const hasMore = rows.length > page.limit;
  const kept = !hasMore
    ? rows
    : forward
    ? rows.slice(0, page.limit)
    : rows.slice(1);
  return { messages: kept.map(messageOfRow), hasMore };
}
