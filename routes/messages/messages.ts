/** A room's messages: its history, page by page, and the calls about a message. */

import { z } from "@hono/zod-openapi";
import { findStanding } from "../../db/memberships.ts";
import { denialOf } from "../../realtime/policy.ts";
import {
  MessagePage,
  MessageWindow,
} from "../../realtime/protocol/messages.ts";
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
import { RoomParams } from "../rooms/room_schemas.ts";
import { limitUpTo, MAX_PAGE } from "../schemas.ts";
import {
  addDeleteMessage,
  addEditMessage,
  addGetMessage,
  addListEdits,
} from "./changes.ts";
import { readMessagePage, readMessageWindow } from "./message_pages.ts";
import { addListPins, addPinMessage, addUnpinMessage } from "./pins.ts";
import { addRemoveReaction, addSetReaction } from "./reactions.ts";
import { addSendMessage } from "./send.ts";

/** Messages on either side of the one a window is around. */
const AROUND = 25;

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
  around: z.string().max(64).toLowerCase().optional().openapi({
    description:
      `the id of a message of this room: it and ${AROUND} on either side`,
    example: EXAMPLE.messageId,
  }),
  at: z.iso.datetime({ offset: true }).optional().openapi({
    description:
      `a time: the first message from then on and ${AROUND} on either side`,
    example: EXAMPLE.time,
  }),
});

/** Mounted under `/api/rooms`. */
export function messageRoutes(deps: RouteDeps) {
  return restRoutes(deps, [
    addListMessages,
    addSendMessage,
    addListPins,
    addGetMessage,
    addEditMessage,
    addDeleteMessage,
    addListEdits,
    addSetReaction,
    addRemoveReaction,
    addPinMessage,
    addUnpinMessage,
  ]);
}

const addListMessages: AddCall = (app, deps) => {
  const call = restCall(deps, {
    method: "get",
    path: "/{id}/messages",
    operationId: "listMessages",
    tag: "Messages",
    summary: "A page of a room's messages, oldest first",
    description:
      "Without a cursor the newest ones. `before`, `after`, `around` and `at` exclude each other; a cursor that is no message of this room is `bad_cursor`.",
    request: { params: RoomParams, query: MessagesQuery },
    answers: {
      200: jsonAnswer(
        "The page; with `around` or `at` a window",
        z.union([MessagePage, MessageWindow]),
      ),
    },
    problems: [
      "bad_cursor",
      "not_a_member",
      "room_not_found",
      "message_not_found",
    ],
  });
  app.openapi(call, async (c) => {
    const { db, realtime: { epoch } } = deps;
    const { id } = c.req.valid("param");
    const { limit = DEFAULT_PAGE, ...cursor } = c.req.valid("query");
    if (Object.keys(cursor).length > 1) {
      return problem(c, "bad_cursor", {
        detail: "before, after, around and at exclude each other",
      });
    }
    const standing = await findStanding(db, id, c.var.session.user.id);
    const denial = denialOf("read", standing);
    if (denial !== undefined) return problem(c, denial);
    // Read before the page: what is changed after it is not counted as read.
    const state = { lastRev: standing.lastRev, epoch };
    const { around, at } = cursor;
    if (around !== undefined || at !== undefined) {
      const window = await readMessageWindow(db, id, { around, at }, AROUND);
      return window === undefined
        ? problem(c, "message_not_found")
        : c.json({ ...window, ...state }, 200);
    }
    const page = await readMessagePage(db, id, { limit, ...cursor });
    return page === undefined
      ? problem(c, "bad_cursor")
      : c.json({ ...page, ...state }, 200);
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
