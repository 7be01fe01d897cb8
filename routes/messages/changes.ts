/** One message: read, edited, deleted; and the texts it had before. */

import { z } from "@hono/zod-openapi";
import { listEdits } from "../../db/change_history.ts";
import { findStanding } from "../../db/memberships.ts";
import { findMessage } from "../../db/message_history.ts";
import { messageOfRow } from "../../realtime/messages/message_view.ts";
import { denialOf } from "../../realtime/policy.ts";
import { changes } from "../../realtime/protocol/changes.ts";
import { Message } from "../../realtime/protocol/messages.ts";
import { isUuid, Time } from "../../realtime/protocol/shapes.ts";
import { EXAMPLE } from "../docs/examples.ts";
import { problem } from "../problems.ts";
import { type AddCall, jsonAnswer, jsonBody, restCall } from "../rest_call.ts";
import { CHANGE_PROBLEMS, changeCall, refuseChange } from "./change_call.ts";
import {
  answerInvalidChange,
  answerUnknown,
  MessageParams,
} from "./message_params.ts";

const Edit = changes.client["message:edit"].data
  .omit({ roomId: true, messageId: true }).meta({ id: "Edit" });

const EditList = z.object({
  edits: z.array(z.object({ text: z.string(), at: Time })).openapi({
    description: "the texts before the present one, oldest first",
  }),
}).openapi("EditList");

export const addGetMessage: AddCall = (app, deps) => {
  const call = restCall(deps, {
    method: "get",
    path: "/{id}/messages/{messageId}",
    operationId: "getMessage",
    tag: "Messages",
    summary: "One message",
    request: { params: MessageParams },
    answers: { 200: jsonAnswer("The message", Message) },
    problems: ["not_a_member", "room_not_found", "message_not_found"],
  });
  app.openapi(call, async (c) => {
    const { id, messageId } = c.req.valid("param");
    const standing = await findStanding(deps.db, id, c.var.session.user.id);
    const denial = denialOf("read", standing);
    if (denial !== undefined) return problem(c, denial);
    const row = isUuid(messageId)
      ? await findMessage(deps.db, id, messageId)
      : undefined;
    return row === undefined
      ? problem(c, "message_not_found")
      : c.json(messageOfRow(row), 200);
  }, answerUnknown);
};

export const addEditMessage: AddCall = (app, deps) => {
  const call = restCall(deps, {
    method: "patch",
    path: "/{id}/messages/{messageId}",
    operationId: "editMessage",
    tag: "Messages",
    summary: "Replace the text of a message of one's own",
    description: "The same text again changes nothing.",
    request: {
      params: MessageParams,
      body: jsonBody(Edit, { text: { text: `${EXAMPLE.text} Again!` } }),
    },
    answers: { 200: jsonAnswer("The message", Message) },
    problems: [...CHANGE_PROBLEMS, "edit_conflict", "validation_failed"],
  });
  app.openapi(call, async (c) => {
    const { id: roomId, messageId } = c.req.valid("param");
    const answer = await deps.realtime.change({
      ...{ kind: "edit", roomId, messageId, userId: c.var.session.user.id },
      ...c.req.valid("json"),
    });
    return answer.kind === "refused"
      ? refuseChange(c, answer)
      : c.json(answer.message, 200);
  }, answerInvalidChange);
};

export const addDeleteMessage = changeCall({
  method: "delete",
  path: "/{id}/messages/{messageId}",
  operationId: "deleteMessage",
  summary: "Take back a message",
  description:
    "For its author and the room's moderators. Its text, edits, reactions and pin are removed; its place stays.",
  params: MessageParams,
  done: "The message is deleted",
  effect: () => ({ kind: "delete" }),
});

export const addListEdits: AddCall = (app, deps) => {
  const call = restCall(deps, {
    method: "get",
    path: "/{id}/messages/{messageId}/edits",
    operationId: "listEdits",
    tag: "Messages",
    summary: "The texts a message had before it was edited",
    description: "For its author and the room's moderators.",
    request: { params: MessageParams },
    answers: { 200: jsonAnswer("The texts", EditList) },
    problems: [
      "not_a_member",
      "room_not_found",
      "message_not_found",
      "forbidden",
    ],
  });
  app.openapi(call, async (c) => {
    const { db } = deps;
    const { id, messageId } = c.req.valid("param");
    const userId = c.var.session.user.id;
    const standing = await findStanding(db, id, userId);
    const outsider = denialOf("read", standing);
    if (outsider !== undefined) return problem(c, outsider);
    const row = isUuid(messageId)
      ? await findMessage(db, id, messageId)
      : undefined;
    if (row === undefined) return problem(c, "message_not_found");
    const denial = denialOf("read_edits", standing, row.user_id === userId);
    if (denial !== undefined) return problem(c, denial);
    const edits = await listEdits(db, row.id);
    const shown = edits.map(({ text, at }) => ({ text, at: at.toISOString() }));
    return c.json({ edits: shown }, 200);
  }, answerUnknown);
};
