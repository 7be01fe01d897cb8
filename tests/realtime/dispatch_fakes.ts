/** What the tests of dispatch share. */

import assert from "node:assert/strict";
import type { Connection } from "../../realtime/connection/connection.ts";
import { Dispatch, type Handlers } from "../../realtime/connection/dispatch.ts";
import { CLIENT_EVENTS } from "../../realtime/protocol/protocol.ts";
import { createFakeClock } from "../helpers/clock.ts";
import { recordingLog } from "../helpers/log.ts";
import { createConnection } from "./fakes.ts";

export const ROOM = crypto.randomUUID();
export const CLIENT_ID = crypto.randomUUID();

export function createDispatch(handlers: Partial<Handlers> = {}) {
  const log = recordingLog();
  /** What reached a handler, in order. */
  const handled: { event: string; data: unknown }[] = [];
  const handler = (event: keyof Handlers) =>
    handlers[event] ??
      ((_: Connection, data: unknown) => {
        handled.push({ event, data });
        return { success: true };
      });
  const names = Object.keys(CLIENT_EVENTS) as (keyof Handlers)[];
  const dispatch = new Dispatch(
    Object.fromEntries(
      names.map((name) => [name, handler(name)]),
    ) as unknown as Handlers,
    log,
  );
  const { connection } = createConnection(createFakeClock());
  return {
    log,
    handled,
    /** The answers to a frame so far: parsed, undefined for one that needs none. */
    answers(frame: unknown) {
      const answers: unknown[] = [];
      const text = typeof frame === "string" ? frame : JSON.stringify(frame);
      const pending = dispatch.handle(
        connection,
        text,
        (answer) => answers.push(answer && JSON.parse(answer)),
      );
      return { answers, pending };
    },
  };
}

/** An answer in short: `ack 1 code`, `error code`, `ack 1 success`. */
export function brief(answer: unknown): string {
  const { ack, event, data } = answer as {
    ack?: number;
    event?: string;
    data: { success?: boolean; code?: string };
  };
  const outcome = data.success ? "success" : data.code;
  return ack === undefined ? `${event} ${outcome}` : `ack ${ack} ${outcome}`;
}

export function expectAnswer(frame: unknown, expected: string) {
  const { answers, handled } = ((test) => ({
    handled: test.handled,
    ...test.answers(frame),
  }))(createDispatch());
  const shown = (typeof frame === "string" ? frame : JSON.stringify(frame))
    .slice(0, 80);
  assert.deepEqual(answers.map(brief), [expected], shown);
  assert.deepEqual(handled, [], shown);
}
