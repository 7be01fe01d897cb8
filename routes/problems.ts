/** The table of HTTP errors, and the only maker of `application/problem+json` (RFC 9457). */

import type { Context, TypedResponse } from "hono";
import type { Message } from "../realtime/protocol/protocol.ts";

/** Every error a client may meet: its stable code, status and title. */
export const PROBLEMS = {
  validation_failed: { status: 400, title: "The request is not valid" },
  bad_cursor: { status: 400, title: "Invalid cursor" },
  unsupported_subprotocol: {
    status: 400,
    title: "Unsupported WebSocket subprotocol",
  },
  unauthorized: { status: 401, title: "Sign in first" },
  invalid_code: { status: 401, title: "The username or the code is wrong" },
  cross_origin: {
    status: 403,
    title: "The request comes from another site",
  },
  not_a_member: { status: 403, title: "Join the room first" },
  forbidden: { status: 403, title: "You may not do this here" },
  muted: { status: 403, title: "You may not write here for a while" },
  not_found: { status: 404, title: "There is nothing here" },
  room_not_found: { status: 404, title: "There is no such room" },
  message_not_found: { status: 404, title: "There is no such message" },
  session_not_found: { status: 404, title: "There is no such session" },
  connection_not_found: { status: 404, title: "There is no such connection" },
  method_not_allowed: { status: 405, title: "The method is not allowed here" },
  room_name_taken: {
    status: 409,
    title: "Another room has this name",
  },
  too_many_rooms: {
    status: 409,
    title: "You have made, or are in, as many rooms as one user may",
  },
  message_deleted: { status: 409, title: "The message was deleted" },
  edit_conflict: { status: 409, title: "The message was edited meanwhile" },
  reaction_limit: {
    status: 409,
    title: "The message has as many different reactions as it may have",
  },
  pin_limit: {
    status: 409,
    title: "The room has as many pinned messages as it may have",
  },
  other_user: {
    status: 412,
    title: "The session belongs to another user than the page",
  },
  body_too_large: { status: 413, title: "The request body is too large" },
  unsupported_media_type: {
    status: 415,
    title: "The request body is not of an accepted type",
  },
  upgrade_required: { status: 426, title: "Connect with a WebSocket" },
  too_many_requests: { status: 429, title: "Too many requests" },
  internal: { status: 500, title: "Something went wrong" },
  unavailable: { status: 503, title: "Not available at the moment" },
} as const;

export type ProblemCode = keyof typeof PROBLEMS;

/** The status that goes with a code. */
export type StatusOf<C extends ProblemCode> = typeof PROBLEMS[C]["status"];

/** The fault of one input. `path` is empty for the input as a whole. */
export interface FieldError {
  path: string;
  message: string;
}

export interface ProblemBody {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: ProblemCode;
  errors?: FieldError[] | undefined;
  instance?: string | undefined;
  /** The present state of the message that was to be changed. */
  message?: Message | undefined;
  /** When the user may write again. */
  mutedUntil?: string | undefined;
}

/** Typed by status, so that a route can only answer the problems its documentation names. */
export type ProblemResponse<C extends ProblemCode> = C extends ProblemCode
  ? Response & TypedResponse<ProblemBody, StatusOf<C>, "json">
  : never;

export interface ProblemOptions {
  /** What went wrong this time; the title when left out. */
  detail?: string;
  errors?: FieldError[];
  /** Names this occurrence in the log. */
  instance?: string;
  /** The present state of the message that was to be changed. */
  message?: Message;
  /** When the user may write again, ISO 8601. */
  mutedUntil?: string | undefined;
  /** Milliseconds until a retry makes sense; becomes `Retry-After`. */
  retryAfterMs?: number;
  headers?: Record<string, string>;
}

/** Where the codes are explained. */
export const PROBLEM_DOCS_PATH = "/docs/problems";

/** Answers a problem. */
export function problem<C extends ProblemCode>(
  c: Context,
  code: C,
  options: ProblemOptions = {},
): ProblemResponse<C> {
  const { status, title } = PROBLEMS[code];
  const { detail = title, errors, instance, retryAfterMs } = options;
  const { message, mutedUntil } = options;
  const body: ProblemBody = {
    type: `${PROBLEM_DOCS_PATH}#${code}`,
    title,
    status,
    detail,
    code,
    errors,
    instance,
    message,
    mutedUntil,
  };
  const headers: Record<string, string> = {
    "content-type": "application/problem+json",
    "cache-control": "no-store",
    ...options.headers,
  };
  if (retryAfterMs !== undefined) {
    headers["retry-after"] = String(retryAfterSeconds(retryAfterMs));
  }
  if (status === 401) headers["www-authenticate"] = "Bearer";
  const response: Response = c.body(JSON.stringify(body), status, headers);
  return response as ProblemResponse<C>;
}

/** Whole seconds, never 0: that would say “at once”. */
function retryAfterSeconds(milliseconds: number): number {
  return Math.max(1, Math.ceil(milliseconds / 1000));
}
