/** The doors of the realtime side: checks who comes in and hands over a transport. Knows no events. */

import { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { Place } from "../../realtime/connection/registry.ts";
import type { Session } from "../../realtime/connection/session.ts";
import type { Refusal } from "../../realtime/connection/socket_entry.ts";
import { CloseCode } from "../../realtime/protocol/close_codes.ts";
import {
  BEARER_PREFIX,
  SUBPROTOCOL,
  USER_PREFIX,
} from "../../realtime/protocol/handshake.ts";
import { MAX_FRAME_BYTES } from "../../realtime/protocol/limits.ts";
import { peekSession, type TokenClaims } from "../auth/access_tokens.ts";
import type { AppEnv, RouteDeps } from "../deps.ts";
import { clientAddress } from "../middleware/client_address.ts";
import { isJson } from "../middleware/json_only.ts";
import { isForeign, ownOrigin } from "../middleware/request_origin.ts";
import { isOtherUser, requestToken } from "../auth/session.ts";
import { problem, type ProblemCode, PROBLEMS } from "../problems.ts";
import { addUncheckedCall } from "../rest_call.ts";
import {
  OPEN_EVENT_STREAM,
  OPEN_SOCKET,
  POST_FRAME,
} from "./realtime_paths.ts";

/** Seconds until a silent peer is given up; longer keeps what a lost one leaves behind. */
const IDLE_TIMEOUT_SECONDS = 30;

/** When a refused client may try again, in milliseconds. */
const RETRY_AFTER_MS = 5_000;

/** Mounted at the root. */
export function realtimeRoutes(deps: RouteDeps): OpenAPIHono<AppEnv> {
  const app = new OpenAPIHono<AppEnv>();
  addUncheckedCall(app, OPEN_SOCKET, (c) => openSocket(c, deps));
  addUncheckedCall(app, OPEN_EVENT_STREAM, (c) => openStream(c, deps));
  addUncheckedCall(app, POST_FRAME, (c) => postFrame(c, deps));
  return app;
}

/**
 * Nothing here may wait before the upgrade, nor in the middleware before it: a client that hangs up
 * meanwhile would leave its descriptor open for ever (Deno 2.9). So a token's signature and life are
 * checked at once, and its session and user after the upgrade.
 */
function openSocket(c: Context<AppEnv>, deps: RouteDeps): Response {
  if (!asksForWebSocket(c)) {
    return problem(c, "upgrade_required", {
      headers: { upgrade: "websocket" },
    });
  }
  const offered = offeredProtocols(c);
  const token = socketToken(c, deps, offered);
  if (typeof token !== "string") return problem(c, token.problem);
  const claims = peekSession(deps.keys, token, deps.clock());
  if (claims === undefined) return problem(c, "unauthorized");
  if (offered.length > 0 && !offered.includes(SUBPROTOCOL)) {
    return problem(c, "unsupported_subprotocol", {
      detail: `Offer the subprotocol ${SUBPROTOCOL}`,
    });
  }
  if (isOtherUser(c, claims.userId)) return problem(c, "other_user");
  const place = admit(c, deps, claims.userId);
  if (place instanceof Response) return place;
  let socket: WebSocket;
  let response: Response;
  try {
    ({ socket, response } = Deno.upgradeWebSocket(c.req.raw, {
      idleTimeout: IDLE_TIMEOUT_SECONDS,
    }));
  } catch (error) {
    place.release();
    throw error;
  }
  c.env.upgraded = response;
  // Set here, never by the runtime: it would echo the first entry, which may be the token.
  if (offered.length > 0) {
    response.headers.set("sec-websocket-protocol", SUBPROTOCOL);
  }
  deps.realtime.openSocket(
    place,
    socket,
    judge(deps, token, claims, offered),
  );
  return response;
}

/** The session the socket belongs to, or why it is closed. */
async function judge(
  deps: RouteDeps,
  token: string,
  claims: TokenClaims,
  offered: string[],
): Promise<Session | Refusal> {
  const pageUser = offered.find((entry) => entry.startsWith(USER_PREFIX));
  // By a close code: a page cannot see the status of a refused upgrade, would take it for a lost
  // connection and reconnect.
  if (pageUser !== undefined && pageUser !== USER_PREFIX + claims.userId) {
    return { code: CloseCode.otherUser, reason: PROBLEMS.other_user.title };
  }
  return await deps.findSession(token) ??
    { code: CloseCode.tokenExpired, reason: "signed out" };
}

function asksForWebSocket(c: Context): boolean {
  return c.req.method === "GET" &&
    headerList(c, "upgrade").includes("websocket") &&
    headerList(c, "connection").includes("upgrade") &&
    c.req.header("sec-websocket-version") === "13" &&
    c.req.header("sec-websocket-key") !== undefined;
}

function headerList(c: Context, name: string): string[] {
  return (c.req.header(name) ?? "").toLowerCase().split(",").map((entry) =>
    entry.trim()
  );
}

function offeredProtocols(c: Context): string[] {
  return (c.req.header("sec-websocket-protocol") ?? "").split(",")
    .map((entry) => entry.trim()).filter((entry) => entry !== "");
}

/**
 * The token that the socket is opened with. A browser sends the cookie for pages of any site, so with the
 * cookie the page must be ours; a bearer entry was set on purpose.
 */
function socketToken(
  c: Context,
  deps: RouteDeps,
  offered: string[],
): string | { problem: ProblemCode } {
  const bearer = offered.find((entry) => entry.startsWith(BEARER_PREFIX))
    ?.slice(BEARER_PREFIX.length);
  const carried = bearer ?? requestToken(c)?.token;
  if (carried === undefined) return { problem: "unauthorized" };
  const usesCookie = bearer === undefined &&
    requestToken(c)?.source === "cookie";
  if (usesCookie && !isOwnPage(c, deps)) return { problem: "cross_origin" };
  return carried;
}

function isOwnPage(c: Context, deps: RouteDeps): boolean {
  const own = ownOrigin(c, deps.config);
  return own !== undefined && c.req.header("origin") === own;
}

/** Holds a place among the open sockets, or answers why there is none. */
function admit(
  c: Context,
  deps: RouteDeps,
  userId: string,
): Place | Response {
  const place = deps.realtime.admit(
    userId,
    clientAddress(c, deps.config.trustedProxyHops),
  );
  if (place === "draining") {
    return problem(c, "unavailable", {
      detail: "The server is shutting down",
      retryAfterMs: RETRY_AFTER_MS,
    });
  }
  return place === "too_many_sockets" ? tooManySockets(c) : place;
}

function tooManySockets(c: Context): Response {
  return problem(c, "too_many_requests", {
    detail: "Too many open connections",
    retryAfterMs: RETRY_AFTER_MS,
  });
}

async function streamSession(
  c: Context,
  deps: RouteDeps,
): Promise<Session | ProblemCode> {
  const carried = requestToken(c);
  if (carried === undefined) return "unauthorized";
  if (carried.source === "cookie" && isForeign(c, deps.config)) {
    return "cross_origin";
  }
  const session = await deps.findSession(carried.token);
  if (session === undefined) return "unauthorized";
  return isOtherUser(c, session.user.id) ? "other_user" : session;
}

async function openStream(
  c: Context<AppEnv>,
  deps: RouteDeps,
): Promise<Response> {
  const session = await streamSession(c, deps);
  if (typeof session === "string") return problem(c, session);
  const headers = {
    "content-type": "text/event-stream",
    "cache-control": "no-store, no-transform",
    // nginx would hold events back to fill its buffer.
    "x-accel-buffering": "no",
  };
  // Hono answers HEAD with GET's handler and drops the body: a stream opened here would never end.
  if (c.req.method === "HEAD") return c.body(null, 200, headers);
  const place = admit(c, deps, session.user.id);
  if (place instanceof Response) return place;
  if (!await deps.realtime.hasPlace(session.user.id)) {
    place.release();
    return tooManySockets(c);
  }
  return c.body(deps.realtime.openStream(place, session), 200, headers);
}

/** One client envelope for an open stream; its ack (or `error` event) is the answer. */
async function postFrame(
  c: Context<AppEnv>,
  deps: RouteDeps,
): Promise<Response> {
  const session = await streamSession(c, deps);
  if (typeof session === "string") return problem(c, session);
  if (!isJson(c)) return problem(c, "unsupported_media_type");
  const connectionId = c.req.query("connection");
  if (connectionId === undefined) {
    return problem(c, "validation_failed", {
      errors: [{ path: "connection", message: "the stream's connectionId" }],
    });
  }
  const frame = await c.req.arrayBuffer();
  const result = await deps.realtime.postFrame(
    connectionId,
    session.user.id,
    // What is no UTF-8 becomes longer, not shorter: above the limit stays above it.
    new TextDecoder("utf-8", { ignoreBOM: true }).decode(frame),
  );
  if (frame.byteLength > MAX_FRAME_BYTES) {
    return problem(c, "body_too_large", {
      detail: `A frame has at most ${MAX_FRAME_BYTES} bytes`,
    });
  }
  if (result === "not_found") return problem(c, "connection_not_found");
  if (result === "unavailable") {
    return problem(c, "unavailable", {
      detail: "The process that has the stream cannot be reached",
      retryAfterMs: RETRY_AFTER_MS,
    });
  }
  if (result.answer === undefined) return c.body(null, 204);
  return c.body(result.answer, 200, { "content-type": "application/json" });
}
