/** Posting a message without a connection. */

import { findMessage } from "../../db/message_history.ts";
import { messageOfRow } from "../../realtime/messages/message_view.ts";
import { Message, messages } from "../../realtime/protocol/messages.ts";
import { EXAMPLE } from "../docs/examples.ts";
import { problem } from "../problems.ts";
import { type AddCall, jsonAnswer, jsonBody, restCall } from "../rest_call.ts";
import { RoomParams } from "../rooms/room_schemas.ts";

const NewMessage = messages.client["message:send"].data
  .omit({ roomId: true }).meta({ id: "NewMessage" });

export const addSendMessage: AddCall = (app, deps) => {
  const { text, clientMsgId, messageId: replyTo } = EXAMPLE;
  const call = restCall(deps, {
    method: "post",
    path: "/{id}/messages",
    operationId: "sendMessage",
    tag: "Messages",
    summary: "Post a message",
    description: "The same clientMsgId again answers the first message.",
    request: {
      params: RoomParams,
      body: jsonBody(NewMessage, {
        message: { text, clientMsgId },
        reply: { text, clientMsgId, replyTo },
      }),
    },
    answers: {
      200: jsonAnswer("The message, which was posted before", Message),
      201: jsonAnswer("The new message", Message),
    },
    problems: [
      "validation_failed",
      "not_a_member",
      "room_not_found",
      "forbidden",
      "muted",
      "internal",
      "unavailable",
    ],
  });
  app.openapi(call, async (c) => {
    const { db, realtime } = deps;
    const { id: roomId } = c.req.valid("param");
    const post = { roomId, ...c.req.valid("json") };
    const ack = await realtime.post(c.var.session.user, post);
    if (ack.success) {
      const row = await findMessage(db, roomId, ack.messageId);
      if (row === undefined) throw new Error(`${ack.messageId} is gone`);
      return c.json(messageOfRow(row), ack.isDuplicate ? 200 : 201);
    }
    switch (ack.code) {
      case "bad_request":
        return problem(c, "validation_failed", {
          errors: [{ path: "text", message: ack.error }],
        });
      case "muted":
        return problem(c, "muted", { mutedUntil: ack.mutedUntil });
      case "not_a_member":
      case "room_not_found":
      case "forbidden":
      case "unavailable":
        return problem(c, ack.code);
      default:
        return problem(c, "internal");
    }
  });
};
