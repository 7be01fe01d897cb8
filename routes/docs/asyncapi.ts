/** The realtime protocol as an AsyncAPI 3 document, from the schemas that check the frames. */

import { z } from "zod";
import { SUBPROTOCOL } from "../../realtime/protocol/protocol.ts";
import {
  CLIENT_EVENT_DOCS,
  REFUSAL_EXAMPLE,
  RefusalSchema,
  SERVER_EVENT_DOCS,
  STREAM_CLOSE_DOC,
} from "./event_catalogue.ts";

type Json = Record<string, unknown>;

/** JSON Schema of what is sent: defaults and conversions of the receiver are left out. */
export function jsonSchema(schema: z.ZodType): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: "input" });
  return rest;
}

/** The document, the same on every call. */
export function asyncApiDocument(): Json {
  const messages: Json = {};
  const operations: Json = {};
  const heard: string[] = [];
  const told: string[] = [];

  for (const [name, event] of Object.entries(CLIENT_EVENT_DOCS)) {
    const key = messageKey("client", name);
    messages[key] = envelopeMessage(name, event, {
      id: { type: "integer", minimum: 0, description: "Asks for an ack" },
    }, { id: 1 });
    messages[`${key}.ack`] = ackMessage(name, event.ack, event.ackExample);
    heard.push(key, `${key}.ack`);
    operations[key] = {
      action: "receive",
      summary: event.summary,
      ...through("socket", [key]),
      reply: through("socket", [`${key}.ack`]),
    };
  }
  for (const [name, event] of Object.entries(SERVER_EVENT_DOCS)) {
    const key = messageKey("server", name);
    messages[key] = envelopeMessage(name, event, {});
    // The one event that only a stream begins with.
    if (name === "hello") continue;
    told.push(key);
    operations[key] = {
      action: "send",
      summary: event.summary,
      ...through("socket", [key]),
    };
  }
  messages["stream.close"] = envelopeMessage("close", STREAM_CLOSE_DOC, {});
  const streamed = ["server.hello", ...told, "stream.close"];
  operations["stream"] = {
    action: "send",
    summary:
      "The server's events as Server-Sent Events. Client events are posted to the same address, which answers with the ack.",
    ...through("stream", streamed),
  };

  return {
    asyncapi: "3.0.0",
    info: {
      title: "ChatKet realtime",
      version: "1.0.0",
      description:
        `WebSocket subprotocol \`${SUBPROTOCOL}\`. A server frame, and each \`data:\` of an event stream, is one envelope or an array of them; a client frame is one envelope.`,
    },
    defaultContentType: "application/json",
    channels: {
      socket: {
        address: "/ws",
        messages: references([...heard, ...told]),
        bindings: { ws: { method: "GET" } },
      },
      stream: {
        address: "/api/events",
        messages: references(streamed),
        bindings: { http: {} },
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

function references(keys: readonly string[]): Json {
  return Object.fromEntries(
    keys.map((key) => [key, { $ref: `#/components/messages/${key}` }]),
  );
}

function through(channel: "socket" | "stream", keys: readonly string[]): Json {
  return {
    channel: { $ref: `#/channels/${channel}` },
    messages: keys.map((key) => ({
      $ref: `#/channels/${channel}/messages/${key}`,
    })),
  };
}

function envelopeMessage(
  name: string,
  event: { summary: string; data: z.ZodType; example: unknown },
  properties: Json,
  example: Json = {},
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
    examples: [{ payload: { ...example, event: name, data: event.example } }],
  };
}

function ackMessage(name: string, ack: z.ZodType, example: unknown): Json {
  const { properties, required, ...rest } = jsonSchema(ack) as {
    properties?: Json;
    required?: string[];
  };
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
              ...rest,
              required: ["success", ...required ?? []],
              properties: { success: { const: true }, ...properties },
            },
            jsonSchema(RefusalSchema),
          ],
        },
      },
    },
    examples: [
      { payload: { ack: 1, data: { success: true, ...example as Json } } },
      { payload: { ack: 1, data: REFUSAL_EXAMPLE } },
    ],
  };
}
