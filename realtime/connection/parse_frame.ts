import type { z } from "zod";
import { Envelope, type Refusal, refuse } from "../protocol/envelope.ts";
import { CLIENT_EVENTS, type ClientEventName } from "../protocol/protocol.ts";

/** Deepest nesting of brackets in a frame; the deepest event needs four. */
const MAX_DEPTH = 16;

/** A client's frame: an event with data of its schema, or why it is none. */
export type ParsedFrame =
  | { id: number | undefined; event: ClientEventName; data: unknown }
  | { id: number | undefined; refusal: Refusal };

/** The schema of each event's data. Without a prototype: `constructor` is no event. */
const SCHEMAS: Readonly<Record<string, z.ZodType>> = Object.assign(
  Object.create(null),
  Object.fromEntries(
    Object.entries(CLIENT_EVENTS).map(([name, { data }]) => [name, data]),
  ),
);

/** Parses a frame and checks it by its event's schema. Never throws. */
export function parseFrame(text: string): ParsedFrame {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return {
      id: undefined,
      refusal: refuse("bad_request", "The frame is not JSON."),
    };
  }
  const envelope = Envelope.safeParse(json);
  if (!envelope.success) {
    const id = Envelope.shape.id
      .safeParse((json as { id?: unknown } | null)?.id).data;
    return {
      id,
      refusal: refuse("bad_request", explain(envelope.error.issues)),
    };
  }
  const { id, event } = envelope.data;
  if (!isShallow(text)) {
    return {
      id,
      refusal: refuse("bad_request", "The frame is nested too deeply."),
    };
  }
  const schema = SCHEMAS[event];
  if (schema === undefined) return { id, refusal: refuse("unknown_event") };
  const data = check(schema, envelope.data.data);
  if (!data.success) {
    return { id, refusal: refuse("bad_request", explain(data.error.issues)) };
  }
  return { id, event: event as ClientEventName, data: data.data };
}

/**
 * Zod compares the length of whatever has one, also of what has just failed to be a text: a `length`
 * that cannot be compared (`[{"toString": 1}]`) makes it throw.
 */
function check(schema: z.ZodType, data: unknown) {
  try {
    return schema.safeParse(data);
  } catch {
    const issues = [{ path: ["data"], message: "cannot be compared" }];
    return { success: false, error: { issues } } as const;
  }
}

function explain(
  issues: readonly { path: PropertyKey[]; message: string }[],
): string {
  const issue = issues[0]!;
  const path = issue.path.map(String).join(".");
  return path === "" ? issue.message : `${path}: ${issue.message}`;
}

/** Whether the brackets of a JSON text, those inside strings aside, are nested no deeper than {@link MAX_DEPTH}. */
function isShallow(json: string): boolean {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < json.length; i++) {
    const character = json[i];
    if (inString) {
      if (character === "\\") i++;
      else if (character === '"') inString = false;
    } else if (character === '"') {
      inString = true;
    } else if (character === "[" || character === "{") {
      if (++depth > MAX_DEPTH) return false;
    } else if (character === "]" || character === "}") {
      depth--;
    }
  }
  return true;
}
