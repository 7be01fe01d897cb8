/** How far a user has read a room. */

import { z } from "@hono/zod-openapi";
import { EXAMPLE } from "../docs/examples.ts";
import { problem } from "../problems.ts";
import { type AddCall, jsonBody, restCall } from "../rest_call.ts";
import { findOutsiderDenial } from "./room_access.ts";
import { RoomParams } from "./room_schemas.ts";

const ReadMark = z.object({
  lastSeq: z.int().min(0).openapi({
    description: "seq of the newest message that was read",
    example: EXAMPLE.lastSeq,
  }),
}).openapi("ReadMark");

export const addMarkRead: AddCall = (app, deps) => {
  const call = restCall(deps, {
    method: "post",
    path: "/{id}/read",
    operationId: "markRoomRead",
    tag: "Rooms",
    summary: "Move the reading position forward",
    description: "A position behind the stored one changes nothing.",
    request: {
      params: RoomParams,
      body: jsonBody(ReadMark, { position: { lastSeq: EXAMPLE.lastSeq } }),
    },
    answers: { 204: { description: "The position is stored" } },
    problems: ["not_a_member", "room_not_found"],
  });
  app.openapi(call, async (c) => {
    const { db, realtime } = deps;
    const { user } = c.var.session;
    const { id } = c.req.valid("param");
    const { lastSeq } = c.req.valid("json");
    const marked = await realtime.markRead(user.id, id, lastSeq);
    if (marked !== undefined) return c.body(null, 204);
    return problem(c, await findOutsiderDenial(db, id));
  });
};
