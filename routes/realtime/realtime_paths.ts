/** The calls under which the realtime events go on. The events themselves: `/docs/events`. */

import { z } from "@hono/zod-openapi";
import { Envelope } from "../../realtime/protocol/envelope.ts";
import { SUBPROTOCOL } from "../../realtime/protocol/handshake.ts";
import { SERVER_EVENTS } from "../../realtime/protocol/protocol.ts";
import { EXAMPLE } from "../docs/examples.ts";
import { describeCall, jsonAnswer, jsonBody } from "../rest_call.ts";

const ClientEnvelope = Envelope.meta({ id: "ClientEnvelope" });

const Ack = z.object({
  ack: z.int(),
  data: z.looseObject({ success: z.boolean() }),
}).openapi("Ack");

const ErrorEvent = z.object({
  event: z.literal("error"),
  data: SERVER_EVENTS.error.data,
}).openapi("ErrorEvent");

export const OPEN_SOCKET = describeCall({
  method: "get",
  path: "/ws",
  operationId: "openSocket",
  tag: "Realtime",
  summary: "The realtime connection, a WebSocket",
  description:
    `Subprotocol \`${SUBPROTOCOL}\`. With the cookie, the \`Origin\` must be the server's own; other clients offer a second subprotocol \`bearer.<accessToken>\`. An entry \`user.<id>\` has the socket closed with 4412 when the session is not that user's. A token's signature and life are checked before the upgrade; a session that has ended, or a place that turns out to be taken, closes the socket with 4401 or 4429 as the first frame. The events: [Realtime events](/docs/events).`,
  answers: {
    101: { description: "Switched to the WebSocket protocol" },
    default: { description: "Any other answer is a problem" },
  },
  problems: ["unsupported_subprotocol", "cross_origin", "upgrade_required"],
});

export const OPEN_EVENT_STREAM = describeCall({
  method: "get",
  path: "/api/events",
  operationId: "openEventStream",
  tag: "Realtime",
  summary: "The same as Server-Sent Events, where WebSockets are blocked",
  description:
    "The first event is `hello` with the `connectionId` to post frames under.",
  answers: {
    200: {
      description:
        "The stream; each `data:` is one envelope or an array of them",
      content: { "text/event-stream": { schema: z.string() } },
    },
  },
  problems: ["cross_origin"],
});

export const POST_FRAME = describeCall({
  method: "post",
  path: "/api/events",
  operationId: "postFrame",
  tag: "Realtime",
  access: "uncounted",
  summary: "One client frame for an open event stream",
  request: {
    query: z.object({
      connection: z.uuid().openapi({
        description: "the `connectionId` of the stream's `hello`",
        example: EXAMPLE.connectionId,
      }),
    }),
    body: jsonBody(ClientEnvelope, {
      "with an ack": { id: 1, event: "presence:ping", data: {} },
      "without an ack": { event: "presence:ping", data: {} },
      "refused without an ack": { event: "room:greet", data: {} },
    }),
  },
  answers: {
    200: jsonAnswer(
      "The ack, or the `error` event of a frame that cannot be acked",
      z.union([Ack, ErrorEvent]),
    ),
    204: { description: "Taken; no ack was asked for" },
  },
  problems: ["connection_not_found"],
});
