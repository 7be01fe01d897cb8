/** Pinned messages of a room. */

import { z } from "@hono/zod-openapi";
import { listPinned } from "../../db/change_history.ts";
import { messageOfRow } from "../../realtime/messages/message_view.ts";
import { Message } from "../../realtime/protocol/messages.ts";
import { problem } from "../problems.ts";
import { type AddCall, jsonAnswer, restCall } from "../rest_call.ts";
import { findDenial } from "../rooms/room_access.ts";
import { RoomParams } from "../rooms/room_schemas.ts";
import { changeCall } from "./change_call.ts";
import { MessageParams } from "./message_params.ts";

const PATH = "/{id}/messages/{messageId}/pin";

const PinList = z.object({
  messages: z.array(Message).openapi({ description: "the newest pin first" }),
}).openapi("PinList");

export const addListPins: AddCall = (app, deps) => {
  const call = restCall(deps, {
    method: "get",
    path: "/{id}/pins",
    operationId: "listPins",
    tag: "Messages",
    summary: "The room's pinned messages",
    request: { params: RoomParams },
    answers: { 200: jsonAnswer("The messages", PinList) },
    problems: ["not_a_member", "room_not_found"],
  });
  app.openapi(call, async (c) => {
    const { id } = c.req.valid("param");
    const { user } = c.var.session;
    const denial = await findDenial(deps.db, "read", id, user.id);
    if (denial !== undefined) return problem(c, denial);
    const rows = await listPinned(deps.db, id);
    return c.json({ messages: rows.map(messageOfRow) }, 200);
  });
};

export const addPinMessage = changeCall({
  method: "put",
  path: PATH,
  operationId: "pinMessage",
  summary: "Pin a message to its room",
  description: "For the room's moderators.",
  params: MessageParams,
  done: "The message is pinned",
  problems: ["pin_limit"],
  effect: () => ({ kind: "pin", on: true }),
});

export const addUnpinMessage = changeCall({
  method: "delete",
  path: PATH,
  operationId: "unpinMessage",
  summary: "Unpin a message",
  description: "For the room's moderators.",
  params: MessageParams,
  done: "The message is not pinned",
  effect: () => ({ kind: "pin", on: false }),
});
