/** What the AsyncAPI document and the page of events share: the events, their schemas, their example frames. */

import { z } from "zod";
import type {
  ClientEventDefinition,
  ServerEventDefinition,
} from "../../realtime/protocol/define.ts";
import {
  CLIENT_EVENTS,
  SERVER_EVENTS,
} from "../../realtime/protocol/protocol.ts";

/** Every client event with its name. */
export function clientEvents(): [string, ClientEventDefinition][] {
  return Object.entries(CLIENT_EVENTS);
}

/** Every server event with its name. */
export function serverEvents(): [string, ServerEventDefinition][] {
  return Object.entries(SERVER_EVENTS);
}

/** The frame of a client event's example, which asks for an ack. */
export function clientFrame(name: string, { example }: ClientEventDefinition) {
  return { id: 1, event: name, data: example };
}

/** The frame of a server event's example. */
export function serverFrame(name: string, { example }: ServerEventDefinition) {
  return { event: name, data: example };
}

/** The part of JSON Schema that our schemas come out as. */
export interface JsonSchema {
  $ref?: string;
  type?: string;
  description?: string;
  const?: unknown;
  enum?: unknown[];
  examples?: unknown[];
  items?: JsonSchema;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  format?: string;
}

/** Where the AsyncAPI document has its named schemas. */
const PREFIX = "#/components/schemas/";

/** Schemas that several others name, such as a user's, by their names. */
export type NamedSchemas = Record<string, JsonSchema>;

/**
 * JSON Schema of what is sent: defaults and conversions of the receiver are left out.
 *
 * @param named receives the named schemas that it refers to
 */
export function jsonSchema(schema: z.ZodType, named: NamedSchemas): JsonSchema {
  const { $schema: _, $defs, ...json } = z.toJSONSchema(schema, {
    io: "input",
    override: ({ jsonSchema }) => useExamples(jsonSchema),
  });
  Object.assign(named, moveReferences($defs ?? {}));
  return moveReferences(json) as JsonSchema;
}

/** The name of the schema that is referred to; undefined when it stands there itself. */
export function referredName({ $ref }: JsonSchema): string | undefined {
  return $ref?.slice(PREFIX.length);
}

/** OpenAPI knows `example`, JSON Schema only `examples`. */
function useExamples(schema: { example?: unknown; examples?: unknown[] }) {
  if (schema.example === undefined) return;
  schema.examples = [schema.example];
  delete schema.example;
}

/** The same schema, its named parts where the document has them. */
function moveReferences(part: unknown): unknown {
  if (Array.isArray(part)) return part.map(moveReferences);
  if (typeof part !== "object" || part === null) return part;
  return Object.fromEntries(
    Object.entries(part).map(([key, value]) => [
      key,
      key === "$ref"
        ? String(value).replace("#/$defs/", PREFIX)
        : moveReferences(value),
    ]),
  );
}
