/** What names a room, or rooms. */

import { z } from "@hono/zod-openapi";
import { EXAMPLE } from "../docs/examples.ts";
import { limitUpTo, MAX_PAGE, pathId, SearchText } from "../schemas.ts";

export const RoomParams = pathId(EXAMPLE.roomId);

export const RoomListQuery = z.object({
  all: z.enum(["true", "false"]).optional().openapi({
    description: "`true` lists every room, not only the caller's",
    example: "true",
  }),
  q: SearchText.optional().openapi({
    description:
      "keeps the rooms whose name contains this, without regard to case",
    example: "gen",
  }),
  limit: limitUpTo(MAX_PAGE).optional(),
  cursor: z.string().optional().openapi({
    description: 'from the `Link: <…>; rel="next"` header of the page before',
    example: EXAMPLE.roomCursor,
  }),
});
