/** What names a message in a call's path. */

import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { EXAMPLE } from "../docs/examples.ts";
import { answerInvalid } from "../middleware/validation.ts";
import { problem } from "../problems.ts";
import { RoomParams } from "../rooms/room_schemas.ts";

/** A room's message. An id that is no UUID is let through: it is answered like any other unknown one. */
export const MessageParams = z.object({
  ...RoomParams.shape,
  messageId: z.string().min(1).max(64).toLowerCase().openapi({
    param: { name: "messageId", in: "path" },
    example: EXAMPLE.messageId,
  }),
});

type Result = Parameters<typeof answerInvalid>[0];

/** Answers a path that names no room or no message. */
export function answerUnknown(result: Result, c: Context) {
  if (result.success) return;
  return problem(
    c,
    hasFault(result, "id") ? "room_not_found" : "message_not_found",
  );
}

/** Answers any input that fails its schema. */
export function answerInvalidChange(result: Result, c: Context) {
  if (result.success || result.target !== "param") {
    return answerInvalid(result, c);
  }
  return hasFault(result, "id") || hasFault(result, "messageId")
    ? answerUnknown(result, c)
    : answerInvalid({ ...result, target: "query" }, c);
}

function hasFault(result: Result & { success: false }, name: string): boolean {
  return result.error.issues.some(({ path }) => path[0] === name);
}
