import type { MessageChange } from "../../db/changes.ts";
import type { HandlersOf } from "../connection/dispatch.ts";
import type { HandlerParts } from "../connection/handler_parts.ts";
import { faultOfText } from "../messages/message_text.ts";
import type { changes } from "../protocol/changes.ts";
import { type Refusal, refuse } from "../protocol/envelope.ts";
import type { pins } from "../protocol/pins.ts";
import type { reactions } from "../protocol/reactions.ts";
import { isUuid } from "../protocol/shapes.ts";
import type { ChangeResult } from "./change_messages.ts";

/** Names no message: a change of it is refused as that of any other unknown one. */
const NO_MESSAGE = "00000000-0000-0000-0000-000000000000";

/** Why a change is not even tried, or how it ended. */
export type ChangeAnswer = ChangeResult | {
  kind: "refused";
  code: "bad_request";
  error: string;
};

/** Handles changes of messages; each is acked after the commit. */
export function changeHandlers(
  parts: Pick<HandlerParts, "changeMessages" | "isDraining">,
): HandlersOf<typeof changes & typeof reactions & typeof pins> {
  const change = changeMessage(parts);
  return {
    async "message:edit"({ user }, edit) {
      const answer = await change({ ...edit, kind: "edit", userId: user.id });
      if (answer.kind === "refused") return refusalOf(answer);
      const { rev, message: { editedAt } } = answer;
      return { success: true, rev, ...(editedAt && { editedAt }) };
    },
    "message:delete": async ({ user }, target) =>
      ackOf(await change({ ...target, kind: "delete", userId: user.id })),
    "reaction:set": async ({ user }, reaction) =>
      ackOf(await change({ ...reaction, kind: "reaction", userId: user.id })),
    "pin:set": async ({ user }, pin) =>
      ackOf(await change({ ...pin, kind: "pin", userId: user.id })),
  };
}

/** Changes a message as a user, on whatever way the change came. Ids are in lower case. */
export function changeMessage(
  { changeMessages, isDraining }: Pick<
    HandlerParts,
    "changeMessages" | "isDraining"
  >,
) {
  return async (change: MessageChange): Promise<ChangeAnswer> => {
    if (isDraining()) return { kind: "refused", code: "unavailable" };
    if (!isUuid(change.roomId)) {
      return { kind: "refused", code: "room_not_found" };
    }
    const messageId = isUuid(change.messageId) ? change.messageId : NO_MESSAGE;
    if (change.kind !== "edit") {
      return await changeMessages.change({ ...change, messageId });
    }
    const text = change.text.trim();
    const error = faultOfText(text);
    if (error !== undefined) {
      return { kind: "refused", code: "bad_request", error };
    }
    return await changeMessages.change({ ...change, text, messageId });
  };
}

function ackOf(answer: ChangeAnswer): { success: true; rev: number } | Refusal {
  return answer.kind === "refused"
    ? refusalOf(answer)
    : { success: true, rev: answer.rev };
}

function refusalOf(answer: ChangeAnswer & { kind: "refused" }): Refusal {
  if (answer.code === "bad_request") return refuse(answer.code, answer.error);
  const { code, message } = answer;
  return { ...refuse(code), ...(message && { message }) };
}
