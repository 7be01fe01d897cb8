/** The members of a room. */

import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { pageMembers } from "../../db/memberships.ts";
import type { AppEnv, RouteDeps } from "../deps.ts";
import { answerInvalid, signedIn } from "../middleware/validation.ts";
import { problem } from "../problems.ts";
import {
  jsonAnswer,
  MAX_MEMBER_PAGE,
  MemberSchema,
  MembersQuery,
  problemResponses,
  RoomParams,
} from "../schemas.ts";
import { nextLink } from "./next_link.ts";
import { refuseOutsider } from "./room_access.ts";

const members = createRoute({
  tags: ["Rooms"],
  security: signedIn,
  method: "get",
  path: "/{id}/members",
  summary: "A page of the members, by username",
  description:
    `At most ${MAX_MEMBER_PAGE}. The next page's address is in the \`Link\` header. Sorted by username, whoever is online.`,
  request: { params: RoomParams, query: MembersQuery },
  responses: {
    200: jsonAnswer("The members", z.array(MemberSchema)),
    ...problemResponses(
      "validation_failed",
      "unauthorized",
      "not_a_member",
      "room_not_found",
      "too_many_requests",
    ),
  },
});

/** Mounted under `/api/rooms`, behind `requireSession`. */
export function memberRoutes(
  { db, realtime }: RouteDeps,
): OpenAPIHono<AppEnv> {
  const app = new OpenAPIHono<AppEnv>({ defaultHook: answerInvalid });
  app.openapi(members, async (c) => {
    const { id } = c.req.valid("param");
    const { limit = MAX_MEMBER_PAGE, after } = c.req.valid("query");
    const refusal = await refuseOutsider(db, id, c.var.session.user.id);
    if (refusal !== undefined) return problem(c, refusal);
    // One more than asked for tells whether there is a next page.
    const found = await pageMembers(db, id, { limit: limit + 1, after });
    const page = found.slice(0, limit);
    if (found.length > limit) {
      const last = page.at(-1)?.username;
      c.header("Link", nextLink(c.req.path, { limit, after: last }));
    }
    return c.json(
      page.map((row) => ({
        id: row.id,
        username: row.username,
        joinedAt: row.joined_at.toISOString(),
        status: realtime.statusOf(row.id),
      })),
      200,
    );
  });
  return app;
}
