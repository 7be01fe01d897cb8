/** Rooms: list, create, read, join, leave, reading position. Their members: `members.ts`. */

import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import {
  createRoom,
  findRoom,
  listAllRooms,
  listUserRooms,
} from "../../db/rooms.ts";
import { Room } from "../../realtime/protocol/rooms.ts";
import type { AppEnv, RouteDeps } from "../deps.ts";
import { EXAMPLE } from "../docs/examples.ts";
import { answerInvalid, signedIn } from "../middleware/validation.ts";
import { problem } from "../problems.ts";
import {
  jsonAnswer,
  jsonBody,
  MAX_PAGE,
  problemResponses,
  ReadMark,
  RoomListQuery,
  RoomName,
  RoomParams,
} from "../schemas.ts";
import { nextLink } from "./next_link.ts";
import { refuseOutsider } from "./room_access.ts";
import { decodeRoomCursor, encodeRoomCursor } from "./room_cursor.ts";
import { roomView } from "./room_view.ts";

const common = { tags: ["Rooms"], security: signedIn };

const listRooms = createRoute({
  ...common,
  method: "get",
  path: "/",
  summary: "The caller's rooms, or with `all=true` every room",
  description:
    `Most recently active first, at most ${MAX_PAGE} at once; the next page's address is in the \`Link\` header.`,
  request: { query: RoomListQuery },
  responses: {
    200: jsonAnswer("The rooms", z.array(Room)),
    ...problemResponses(
      "validation_failed",
      "bad_cursor",
      "unauthorized",
      "too_many_requests",
    ),
  },
});

const create = createRoute({
  ...common,
  method: "post",
  path: "/",
  summary: "Create a room",
  description:
    "The creator is its first member. Names are unique without regard to case. A user may make so many rooms an hour (429), and so many at all (409).",
  request: {
    body: jsonBody(z.object({ name: RoomName }).openapi("NewRoom"), {
      name: { name: EXAMPLE.newRoomName },
    }),
  },
  responses: {
    201: jsonAnswer("The new room", Room),
    ...problemResponses(
      "validation_failed",
      "unauthorized",
      "cross_origin",
      "room_name_taken",
      "too_many_rooms",
      "body_too_large",
      "unsupported_media_type",
      "too_many_requests",
    ),
  },
});

const read = createRoute({
  ...common,
  method: "get",
  path: "/{id}",
  summary: "One room",
  request: { params: RoomParams },
  responses: {
    200: jsonAnswer("The room", Room),
    ...problemResponses("unauthorized", "room_not_found", "too_many_requests"),
  },
});

const join = createRoute({
  ...common,
  method: "post",
  path: "/{id}/join",
  summary: "Become a member",
  description: "Also when already a member.",
  request: { params: RoomParams },
  responses: {
    200: jsonAnswer("The room", Room),
    ...problemResponses(
      "unauthorized",
      "cross_origin",
      "room_not_found",
      "too_many_rooms",
      "too_many_requests",
    ),
  },
});

const leave = createRoute({
  ...common,
  method: "post",
  path: "/{id}/leave",
  summary: "End the membership",
  description: "The caller's sockets stop receiving the room at once.",
  request: { params: RoomParams },
  responses: {
    204: { description: "Left" },
    ...problemResponses(
      "unauthorized",
      "cross_origin",
      "not_a_member",
      "room_not_found",
      "too_many_requests",
    ),
  },
});

const markRead = createRoute({
  ...common,
  method: "post",
  path: "/{id}/read",
  summary: "Move the reading position forward",
  description: "A position behind the stored one changes nothing.",
  request: {
    params: RoomParams,
    body: jsonBody(ReadMark, { position: { lastSeq: EXAMPLE.lastSeq } }),
  },
  responses: {
    204: { description: "Noted" },
    ...problemResponses(
      "validation_failed",
      "unauthorized",
      "cross_origin",
      "not_a_member",
      "room_not_found",
      "unsupported_media_type",
      "too_many_requests",
    ),
  },
});

/** Mounted under `/api/rooms`, behind `requireSession`. */
export function roomRoutes(deps: RouteDeps): OpenAPIHono<AppEnv> {
  const { config, db, realtime, clock } = deps;
  const app = new OpenAPIHono<AppEnv>({ defaultHook: answerInvalid });

  app.openapi(listRooms, async (c) => {
    const { user } = c.var.session;
    const { all, q, limit = MAX_PAGE, cursor } = c.req.valid("query");
    const after = cursor === undefined ? undefined : decodeRoomCursor(cursor);
    if (cursor !== undefined && after === undefined) {
      return problem(c, "bad_cursor");
    }
    await realtime.flushReadMarkers();
    const list = all === "true" ? listAllRooms : listUserRooms;
    // One more than asked for tells whether there is a next page.
    const found = await list(db, user.id, {
      limit: limit + 1,
      query: q,
      after,
    });
    const page = found.slice(0, limit);
    const last = page.at(-1);
    if (found.length > limit && last !== undefined) {
      const cursor = encodeRoomCursor(last);
      c.header("Link", nextLink(c.req.path, { all, q, limit, cursor }));
    }
    return c.json(page.map(roomView), 200);
  });

  app.openapi(create, async (c) => {
    const { user } = c.var.session;
    const id = crypto.randomUUID();
    const { name } = c.req.valid("json");
    const wanted = { id, name, createdBy: user.id, now: new Date(clock()) };
    const made = await createRoom(db, wanted, config);
    if (made === "name_taken") return problem(c, "room_name_taken");
    if (made === "too_many_rooms") return problem(c, "too_many_rooms");
    if (made === "no_user") return problem(c, "unauthorized");
    if (made !== "created") return problem(c, "too_many_requests", made);
    const room = await findRoom(db, id, user.id);
    if (room === undefined) throw new Error(`the new room ${id} is gone`);
    c.header("Location", `${c.req.path}/${id}`);
    return c.json(roomView(room), 201);
  });

  app.openapi(read, async (c) => {
    const { user } = c.var.session;
    await realtime.flushReadMarkers();
    const room = await findRoom(db, c.req.valid("param").id, user.id);
    if (room === undefined) return problem(c, "room_not_found");
    return c.json(roomView(room), 200);
  });

  app.openapi(join, async (c) => {
    const { user } = c.var.session;
    const { id } = c.req.valid("param");
    const joined = await realtime.membership.join(user, id);
    if (joined === "no_room") return problem(c, "room_not_found");
    if (joined === "no_user") return problem(c, "unauthorized");
    if (joined === "too_many_rooms") return problem(c, "too_many_rooms");
    await realtime.flushReadMarkers();
    const room = await findRoom(db, id, user.id);
    if (room === undefined) return problem(c, "room_not_found");
    return c.json(roomView(room), 200);
  });

  app.openapi(leave, async (c) => {
    const { user } = c.var.session;
    const { id } = c.req.valid("param");
    if (await realtime.membership.leave(user, id)) return c.body(null, 204);
    return problem(c, await refuseOutsider(db, id, user.id) ?? "not_a_member");
  });

  app.openapi(markRead, async (c) => {
    const { user } = c.var.session;
    const { id } = c.req.valid("param");
    const { lastSeq } = c.req.valid("json");
    const marked = await realtime.markRead(user.id, id, lastSeq);
    if (marked !== undefined) return c.body(null, 204);
    return problem(c, await refuseOutsider(db, id, user.id) ?? "not_a_member");
  });
  return app;
}
