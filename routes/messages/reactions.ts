/** Reactions to messages. */

import { z } from "@hono/zod-openapi";
import { Emoji } from "../../realtime/protocol/reactions.ts";
import { changeCall } from "./change_call.ts";
import { MessageParams } from "./message_params.ts";

const ReactionParams = z.object({
  ...MessageParams.shape,
  emoji: Emoji,
});

const PATH = "/{id}/messages/{messageId}/reactions/{emoji}";

export const addSetReaction = changeCall({
  method: "put",
  path: PATH,
  operationId: "setReaction",
  summary: "Put an emoji to a message",
  params: ReactionParams,
  done: "The caller's emoji is there",
  problems: ["validation_failed", "reaction_limit"],
  effect: ({ emoji }) => ({ kind: "reaction", emoji, on: true }),
});

export const addRemoveReaction = changeCall({
  method: "delete",
  path: PATH,
  operationId: "removeReaction",
  summary: "Take an emoji back from a message",
  params: ReactionParams,
  done: "The caller's emoji is not there",
  problems: ["validation_failed"],
  effect: ({ emoji }) => ({ kind: "reaction", emoji, on: false }),
});
