/** The members of a room. */

import { z } from "@hono/zod-openapi";
import { pageMembers } from "../../db/memberships.ts";
import { RosterUser } from "../../realtime/protocol/presence.ts";
import { Time } from "../../realtime/protocol/shapes.ts";
import { EXAMPLE } from "../docs/examples.ts";
import { problem } from "../problems.ts";
import { type AddCall, jsonAnswer, restCall } from "../rest_call.ts";
import { limitUpTo, SearchText } from "../schemas.ts";
import { nextLink } from "./next_link.ts";
import { findDenial } from "./room_access.ts";
import { RoomParams } from "./room_schemas.ts";

/** Most members on one page. */
const MAX_MEMBER_PAGE = 200;

const Member = z.object({
  ...RosterUser.shape,
  joinedAt: Time,
}).openapi("Member");

const MembersQuery = z.object({
  limit: limitUpTo(MAX_MEMBER_PAGE).optional(),
  after: SearchText.optional().openapi({
    description:
      "the page begins after this username; the `Link` header of the page before has it",
    example: EXAMPLE.user.username,
  }),
});

export const addListMembers: AddCall = (app, deps) => {
  const call = restCall(deps, {
    method: "get",
    path: "/{id}/members",
    operationId: "listMembers",
    tag: "Rooms",
    summary: "A page of the members, by username",
    description:
      `At most ${MAX_MEMBER_PAGE}. The next page's address is in the \`Link\` header. Sorted by username, online or not.`,
    request: { params: RoomParams, query: MembersQuery },
    answers: { 200: jsonAnswer("The members", z.array(Member)) },
    problems: ["not_a_member", "room_not_found"],
  });
  app.openapi(call, async (c) => {
    const { db, realtime } = deps;
    const { id } = c.req.valid("param");
    const { limit = MAX_MEMBER_PAGE, after } = c.req.valid("query");
    const denial = await findDenial(db, "read", id, c.var.session.user.id);
    if (denial !== undefined) return problem(c, denial);
    // One row more than asked for shows whether there is a next page.
    const found = await pageMembers(db, id, { limit: limit + 1, after });
    const members = found.slice(0, limit);
    if (found.length > limit) {
      const last = members.at(-1)?.username;
      c.header("Link", nextLink(c.req.path, { limit, after: last }));
    }
    return c.json(
      members.map((row) => ({
        id: row.id,
        username: row.username,
        joinedAt: row.joined_at.toISOString(),
        status: realtime.statusOf(row.id),
      })),
      200,
    );
  });
};
