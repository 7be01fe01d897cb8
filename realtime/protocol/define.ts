/** How an event is defined: once. Types, checks, documents and examples are derived from it. */

import type { z } from "zod";

/** An event that a client sends. */
export interface ClientEventDefinition<
  Data extends z.ZodType = z.ZodType,
  Ack extends z.ZodType = z.ZodType,
> {
  /** What the event does, for the documentation. */
  readonly summary: string;
  /** What the client sends. */
  readonly data: Data;
  /** What a successful ack carries beside `success: true`. */
  readonly ack: Ack;
  /** The client's next frame is handled before this event is acked. Left out: after it. */
  readonly isConcurrent?: true;
  /** Data that works as it stands in the world of `examples.ts`. */
  readonly example: z.input<Data>;
  readonly ackExample: z.infer<Ack>;
}

/** An event that the server sends. */
export interface ServerEventDefinition<Data extends z.ZodType = z.ZodType> {
  /** When it is sent and to whom, for the documentation. */
  readonly summary: string;
  readonly data: Data;
  /** Only an event stream (`GET /api/events`) has it: as its first event, or as its last. */
  readonly inStream?: "first" | "last";
  readonly example: z.infer<Data>;
}

/** The events of a feature by their names. */
export interface Feature {
  readonly client: Readonly<Record<string, ClientEventDefinition>>;
  readonly server: Readonly<Record<string, ServerEventDefinition>>;
}

/** Checks a definition's examples against its schemas. */
export function clientEvent<Data extends z.ZodType, Ack extends z.ZodType>(
  definition: ClientEventDefinition<Data, Ack>,
): ClientEventDefinition<Data, Ack> {
  return definition;
}

/** Checks a definition's example against its schema. */
export function serverEvent<Data extends z.ZodType>(
  definition: ServerEventDefinition<Data>,
): ServerEventDefinition<Data> {
  return definition;
}
