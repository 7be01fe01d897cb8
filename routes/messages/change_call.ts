/** Calls that change a message: what they have in common. */

import type { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { MessageChange } from "../../db/changes.ts";
import type { ChangeAnswer } from "../../realtime/changes/change_handlers.ts";
import { CHANGE_WINDOW_MS } from "../../realtime/protocol/limits.ts";
import { problem, type ProblemCode } from "../problems.ts";
import { type AddCall, restCall } from "../rest_call.ts";
import { answerInvalidChange, type MessageParams } from "./message_params.ts";

/** What every change of a message may be refused for. */
export const CHANGE_PROBLEMS = [
  "not_a_member",
  "room_not_found",
  "forbidden",
  "message_not_found",
  "message_deleted",
  "too_many_requests",
  "internal",
  "unavailable",
] as const satisfies readonly ProblemCode[];

/** What the handler may answer, as far as the compiler knows: some calls document less. */
type AnswerableProblem = typeof CHANGE_PROBLEMS[number] | "validation_failed";

/** A change without its room, message and user. */
type Effect = MessageChange extends infer Change
  ? Change extends MessageChange
    ? Omit<Change, "roomId" | "messageId" | "userId">
  : never
  : never;

interface ChangeCall<Params extends typeof MessageParams> {
  readonly method: "put" | "delete";
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly params: Params;
  /** What holds after it, also when it did before. */
  readonly done: string;
  /** Those beside {@link CHANGE_PROBLEMS}. */
  readonly problems?: readonly ProblemCode[];
  readonly effect: (params: z.infer<Params>) => Effect;
}

/** A call that changes a message and answers 204. */
export function changeCall<Params extends typeof MessageParams>(
  { params, done, effect, problems = [], ...definition }: ChangeCall<Params>,
): AddCall {
  return (app, deps) => {
    const call = restCall(deps, {
      ...definition,
      tag: "Messages",
      request: { params },
      answers: { 204: { description: done } },
      problems: [...CHANGE_PROBLEMS, ...problems] as AnswerableProblem[],
    });
    app.openapi(call, async (c) => {
      const named = c.req.valid("param" as never) as z.infer<Params>;
      const answer = await deps.realtime.change({
        ...effect(named),
        roomId: named.id,
        messageId: named.messageId,
        userId: c.var.session.user.id,
      });
      return answer.kind === "refused"
        ? refuseChange(c, answer)
        : c.body(null, 204);
    }, answerInvalidChange);
  };
}

/** Answers a refused change with the problem of the same code. */
export function refuseChange(
  c: Context,
  refused: ChangeAnswer & { kind: "refused" },
) {
  const { code } = refused;
  if (code === "bad_request") {
    return problem(c, "validation_failed", {
      errors: [{ path: "text", message: refused.error }],
    });
  }
  if (code === "too_many_requests") {
    return problem(c, code, { retryAfterMs: CHANGE_WINDOW_MS });
  }
  const { message } = refused;
  return problem(c, code, message && { message });
}
