import { isUnavailable } from "../../db/engine/errors.ts";
import { errorFields, type Log } from "../../log.ts";
import type { Feature } from "../protocol/define.ts";
import { type Refusal, refuse } from "../protocol/envelope.ts";
import {
  type AckData,
  CLIENT_EVENTS,
  type ClientEventName,
  type ClientEvents,
  type RefusalCode,
  type ServerEvent,
} from "../protocol/protocol.ts";
import { REFUSALS } from "../protocol/refusals.ts";
import type { Answer, Connection } from "./connection.ts";
import { parseFrame } from "./parse_frame.ts";

/** Handles one event of a connection. */
export type Handler<E extends ClientEventName> = (
  connection: Connection,
  data: ClientEvents[E],
) => AckData<E> | Promise<AckData<E>>;

/** A handler for each event. */
export type Handlers = { [E in ClientEventName]: Handler<E> };

/** A handler for each event of a feature. */
export type HandlersOf<F extends Feature> = Pick<
  Handlers,
  keyof F["client"] & ClientEventName
>;

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
      return CLIENT_EVENTS[event].isConcurrent ? undefined : answered;
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
    return refuse("internal", `${REFUSALS.internal.text} Error id: ${errorId}`);
  }
}

/** Acks when an id was given. Without one a success needs no answer and a refusal is an `error` event. */
function answerTo(
  id: number | undefined,
  data: AckData<ClientEventName>,
  answer: Answer,
): void {
  if (id !== undefined) return answer(JSON.stringify({ ack: id, data }));
  if (data.success) return answer(undefined);
  const { code, error: message } = data;
  const event: ServerEvent = { event: "error", data: { code, message } };
  answer(JSON.stringify(event));
}
