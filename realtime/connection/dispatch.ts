import { isUnavailable } from "../../db/engine/errors.ts";
import { errorFields, type Log } from "../../log.ts";
import type {
  AckData,
  ClientEventName,
  ClientEvents,
  Refusal,
  RefusalCode,
} from "../protocol/protocol.ts";
import { CLIENT_EVENT_SCHEMAS, ENVELOPE_SCHEMA } from "../protocol/schemas.ts";
import type { Answer, Connection } from "./connection.ts";

/** Deepest nesting of brackets in a frame; the deepest event needs four. */
const MAX_DEPTH = 16;

/** Handles one event of a connection. */
export type Handler<E extends ClientEventName> = (
  connection: Connection,
  data: ClientEvents[E],
) => AckData<E> | Promise<AckData<E>>;

/** A handler for each event. */
export type Handlers = { [E in ClientEventName]: Handler<E> };

/** These only begin in order: the next frame is handled while their answer is on its way. */
const CONCURRENT: ReadonlySet<ClientEventName> = new Set(["message:send"]);

/** What a client reads of each refusal when the handler says nothing more. */
const REFUSALS: Record<RefusalCode, string> = {
  bad_request: "The frame is not a valid event.",
  unknown_event: "There is no such event.",
  not_a_member: "You are not a member of this room.",
  room_not_found: "There is no such room.",
  muted: "You are sending too fast.",
  unavailable: "This cannot be done right now. Try again.",
  internal: "Something went wrong on the server.",
};

/** A refusal as ack data. */
export function refuse(
  code: RefusalCode,
  error: string = REFUSALS[code],
): Refusal {
  return { success: false, error, code };
}

/** Frame → event → handler → ack: the one place where a failure becomes an answer. */
export class Dispatch {
  readonly #handlers: Handlers;
  readonly #log: Log;
  readonly #onAnswered: (refusal: RefusalCode | undefined) => void;

  /** @param onAnswered called for each ack, and for each refusal whether it can be acked or not */
  constructor(
    handlers: Handlers,
    log: Log,
    onAnswered: (refusal: RefusalCode | undefined) => void = () => {},
  ) {
    this.#handlers = handlers;
    this.#log = log;
    this.#onAnswered = onAnswered;
  }

  /** Handles a frame; resolves when the next one may be handled. Never throws. */
  handle(
    connection: Connection,
    text: string,
    answer: Answer,
  ): void | Promise<void> {
    const frame = parseFrame(text);
    if ("refusal" in frame) {
      return this.#answerTo(frame.id, frame.refusal, answer);
    }
    const { id, event, data } = frame;
    try {
      // The schema of the event has made the data what its handler takes.
      const handler = this.#handlers[event] as Handler<ClientEventName>;
      const result = handler(connection, data as ClientEvents[ClientEventName]);
      if (!(result instanceof Promise)) {
        return this.#answerTo(id, result, answer);
      }
      const answered = result.then(
        (ack) => this.#answerTo(id, ack, answer),
        (error) =>
          this.#answerTo(id, this.#fail(connection, event, error), answer),
      );
      return CONCURRENT.has(event) ? undefined : answered;
    } catch (error) {
      this.#answerTo(id, this.#fail(connection, event, error), answer);
    }
  }

  #answerTo(
    id: number | undefined,
    data: AckData<ClientEventName>,
    answer: Answer,
  ): void {
    if (!data.success) this.#onAnswered(data.code);
    else if (id !== undefined) this.#onAnswered(undefined);
    answerTo(id, data, answer);
  }

  #fail(
    connection: Connection,
    event: ClientEventName,
    error: unknown,
  ): Refusal {
    const errorId = crypto.randomUUID();
    const fields = {
      errorId,
      event,
      connectionId: connection.id,
      ...errorFields(error),
    };
    if (isUnavailable(error)) {
      this.#log.warn("an event failed because the database is away", fields);
      return refuse("unavailable");
    }
    this.#log.error("an event failed", fields);
    return refuse("internal", `${REFUSALS.internal} Error id: ${errorId}`);
  }
}

/** Acks when an id was given. Without one a success needs no answer and a refusal is an `error` event. */
function answerTo(
  id: number | undefined,
  data: AckData<ClientEventName>,
  answer: Answer,
): void {
  if (id !== undefined) answer(JSON.stringify({ ack: id, data }));
  else if (data.success) answer(undefined);
  else {answer(
      JSON.stringify({
        event: "error",
        data: { code: data.code, message: data.error },
      }),
    );}
}

type ParsedFrame =
  | { id: number | undefined; event: ClientEventName; data: unknown }
  | { id: number | undefined; refusal: Refusal };

function parseFrame(text: string): ParsedFrame {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return {
      id: undefined,
      refusal: refuse("bad_request", "The frame is not JSON."),
    };
  }
  const envelope = ENVELOPE_SCHEMA.safeParse(json);
  if (!envelope.success) {
    const id =
      ENVELOPE_SCHEMA.shape.id.safeParse((json as { id?: unknown } | null)?.id)
        .data;
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
  if (!Object.hasOwn(CLIENT_EVENT_SCHEMAS, event)) {
    return { id, refusal: refuse("unknown_event") };
  }
  const name = event as ClientEventName;
  const data = parseData(name, envelope.data.data);
  if (!data.success) {
    return { id, refusal: refuse("bad_request", explain(data.error.issues)) };
  }
  return { id, event: name, data: data.data };
}

/**
 * Zod compares the length of whatever has one, also of what has just failed to be a text: a `length`
 * that cannot be compared (`[{"toString": 1}]`) makes it throw.
 */
function parseData(event: ClientEventName, data: unknown) {
  try {
    return CLIENT_EVENT_SCHEMAS[event].safeParse(data);
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
