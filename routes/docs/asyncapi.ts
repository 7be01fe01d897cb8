/** The realtime protocol as an AsyncAPI 3 document, from the definitions that also check the frames. */

import {
  CLOSE_CODE_MEANINGS,
  mayReconnect,
} from "../../realtime/protocol/close_codes.ts";
import type {
  ClientEventDefinition,
  ServerEventDefinition,
} from "../../realtime/protocol/define.ts";
import { Envelope, Refusal } from "../../realtime/protocol/envelope.ts";
import { EXAMPLE } from "../../realtime/protocol/examples.ts";
import { SUBPROTOCOL } from "../../realtime/protocol/handshake.ts";
import { REFUSALS } from "../../realtime/protocol/refusals.ts";
import {
  clientEvents,
  clientFrame,
  type JsonSchema,
  jsonSchema,
  type NamedSchemas,
  serverEvents,
  serverFrame,
} from "./event_docs.ts";

type Json = Record<string, unknown>;

/** The document, the same on every call. */
export function asyncApiDocument(): Json {
  const schemas: NamedSchemas = {};
  const messages: Json = {};
  const operations: Json = {};
  const inSocket: string[] = [];
  const inStream: string[] = [];

  for (const [name, event] of clientEvents()) {
    const key = messageKey("client", name);
    const ack = `${key}.ack`;
    messages[key] = clientMessage(name, event, schemas);
    messages[ack] = ackMessage(name, event, schemas);
    inSocket.push(key, ack);
    operations[key] = {
      action: "receive",
      summary: event.summary,
      ...through("socket", [key]),
      reply: through("socket", [ack]),
    };
  }
  for (const [name, event] of serverEvents()) {
    const key = messageKey("server", name);
    messages[key] = serverMessage(name, event, schemas);
    inStream.push(key);
    if (event.inStream !== undefined) continue;
    inSocket.push(key);
    operations[key] = {
      action: "send",
      summary: event.summary,
      ...through("socket", [key]),
    };
  }
  operations["stream"] = {
    action: "send",
    summary:
      "The server's events as Server-Sent Events. Client events are posted to the same address, which answers with the ack.",
    ...through("stream", inStream),
  };

  return {
    asyncapi: "3.0.0",
    info: {
      title: "ChatKet realtime",
      version: "1.0.0",
      description: description(),
    },
    defaultContentType: "application/json",
    channels: {
      socket: {
        address: "/ws",
        messages: references(inSocket),
        bindings: { ws: { method: "GET" } },
      },
      stream: {
        address: "/api/events",
        messages: references(inStream),
        bindings: { http: {} },
      },
    },
    operations,
    components: { messages, schemas },
  };
}

/** In Markdown: the envelopes, and the codes that stand in no schema with their meaning. */
function description(): string {
  const refusals = Object.entries(REFUSALS).map(([code, { meaning }]) =>
    `- \`${code}\`: ${meaning}`
  );
  const closeCodes = Object.entries(CLOSE_CODE_MEANINGS).map(
    ([code, meaning]) =>
      `- ${code}: ${meaning}; ${
        mayReconnect(Number(code)) ? "reconnect" : "do not reconnect"
      }`,
  );
  return [
    `WebSocket subprotocol \`${SUBPROTOCOL}\`. A server frame, and each \`data:\` of an event stream, is one envelope or an array of them; a client frame is one envelope.`,
    `Codes of refused events:\n\n${refusals.join("\n")}`,
    `Close codes:\n\n${closeCodes.join("\n")}`,
  ].join("\n\n");
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

function clientMessage(
  name: string,
  event: ClientEventDefinition,
  schemas: NamedSchemas,
): Json {
  return message(name, event.summary, {
    id: jsonSchema(Envelope.shape.id, schemas),
    event: { const: name },
    data: jsonSchema(event.data, schemas),
  }, [clientFrame(name, event)]);
}

function serverMessage(
  name: string,
  event: ServerEventDefinition,
  schemas: NamedSchemas,
): Json {
  return message(name, event.summary, {
    event: { const: name },
    data: jsonSchema(event.data, schemas),
  }, [serverFrame(name, event)]);
}

function ackMessage(
  name: string,
  { ack, ackExample }: ClientEventDefinition,
  schemas: NamedSchemas,
): Json {
  const { properties, required = [], ...rest } = jsonSchema(ack, schemas);
  const success = {
    ...rest,
    required: ["success", ...required],
    properties: { success: { const: true }, ...properties },
  };
  const refusal = {
    success: false,
    error: REFUSALS.muted.text,
    code: "muted",
    mutedUntil: EXAMPLE.time,
  } satisfies Refusal;
  return message(`ack of ${name}`, undefined, {
    ack: { type: "integer", description: "The id of the frame it answers" },
    data: { oneOf: [success, jsonSchema(Refusal, schemas)] },
  }, [
    { ack: 1, data: { success: true, ...ackExample as Json } },
    { ack: 1, data: refusal },
  ]);
}

function message(
  name: string,
  summary: string | undefined,
  properties: Record<string, JsonSchema>,
  payloads: readonly Json[],
): Json {
  return {
    name,
    ...(summary === undefined ? {} : { summary }),
    payload: {
      type: "object",
      required: Object.keys(properties).filter((key) => key !== "id"),
      properties,
    },
    examples: payloads.map((payload) => ({ payload })),
  };
}
