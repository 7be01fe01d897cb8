/** The realtime protocol as an AsyncAPI 3 document, from the schemas that check the frames. */

import { z } from "zod";
import { SUBPROTOCOL } from "../realtime/protocol.ts";
import {
  CLIENT_EVENT_DOCS,
  RefusalSchema,
  SERVER_EVENT_DOCS,
} from "./event_catalogue.ts";

type Json = Record<string, unknown>;

/** JSON Schema of what is sent: defaults and conversions of the receiver are left out. */
export function jsonSchema(schema: z.ZodType): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: "input" });
  return rest;
}

/** The document, the same on every call. */
export function asyncApiDocument(): Json {
  const clientEvents = Object.entries(CLIENT_EVENT_DOCS);
  const serverEvents = Object.entries(SERVER_EVENT_DOCS);
  const messages: Json = {};
  const operations: Json = {};

  for (const [name, event] of clientEvents) {
    const key = messageKey("client", name);
    messages[key] = envelopeMessage(name, event, {
      id: { type: "integer", minimum: 0, description: "Asks for an ack" },
    });
    messages[`${key}.ack`] = ackMessage(name, event.ack);
    operations[key] = {
      action: "receive",
      summary: event.summary,
      channel: { $ref: "#/channels/socket" },
      messages: [{ $ref: `#/channels/socket/messages/${key}` }],
      reply: {
        channel: { $ref: "#/channels/socket" },
        messages: [{ $ref: `#/channels/socket/messages/${key}.ack` }],
      },
    };
  }
  for (const [name, event] of serverEvents) {
    const key = messageKey("server", name);
    messages[key] = envelopeMessage(name, event, {});
    operations[key] = {
      action: "send",
      summary: event.summary,
      channel: { $ref: "#/channels/socket" },
      messages: [{ $ref: `#/channels/socket/messages/${key}` }],
    };
  }

  return {
    asyncapi: "3.0.0",
    info: {
      title: "ChatKet realtime",
      version: "1.0.0",
      description:
        `WebSocket subprotocol \`${SUBPROTOCOL}\`. A server frame is one envelope or an array of them; a client frame is one envelope.`,
    },
    defaultContentType: "application/json",
    channels: {
      socket: {
        address: "/ws",
        messages: Object.fromEntries(
          Object.keys(messages).map((
            key,
          ) => [key, { $ref: `#/components/messages/${key}` }]),
        ),
        bindings: { ws: { method: "GET" } },
      },
    },
    operations,
    components: { messages },
  };
}

/** Keys of components may hold no colon. */
function messageKey(side: "client" | "server", event: string): string {
  return `${side}.${event.replaceAll(":", "_")}`;
}

function envelopeMessage(
  name: string,
  event: { summary: string; data: z.ZodType; example: unknown },
  properties: Json,
): Json {
  return {
    name,
    summary: event.summary,
    payload: {
      type: "object",
      required: ["event", "data"],
      properties: {
        ...properties,
        event: { const: name },
        data: jsonSchema(event.data),
      },
    },
    examples: [{ payload: { event: name, data: event.example } }],
  };
}

function ackMessage(name: string, ack: z.ZodType): Json {
  return {
    name: `ack of ${name}`,
    payload: {
      type: "object",
      required: ["ack", "data"],
      properties: {
        ack: { type: "integer", description: "The id of the frame it answers" },
        data: {
          oneOf: [
            {
              allOf: [
                {
                  type: "object",
                  required: ["success"],
                  properties: { success: { const: true } },
                },
                jsonSchema(ack),
              ],
            },
            jsonSchema(RefusalSchema),
          ],
        },
      },
    },
  };
}
