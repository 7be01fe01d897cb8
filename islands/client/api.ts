/** The REST API as result values: a refusal is `{ ok: false }` with its code, nothing is thrown. */

import type {
  MessagePage,
  Room,
  UserRef,
} from "../../realtime/protocol/protocol.ts";

export type { MessagePage, Room };

export interface ApiFailure {
  ok: false;
  /** The problem's `code`; `unreachable` when no answer came. */
  code: string;
  /** HTTP status, 0 when no answer came. */
  status: number;
}

export interface ApiSuccess<T> {
  ok: true;
  data: T;
  /** Of a list with more pages: the query of the next one, from its `?` on. */
  next?: string | undefined;
}

export type ApiResult<T> = ApiSuccess<T> | ApiFailure;

export interface ApiSettings {
  /** Where the API lives, e.g. `/api`. */
  base: string;
  fetch: typeof fetch;
  /** Added to every request, for clients without a cookie. */
  headers?: Record<string, string> | undefined;
}

export type Api = ReturnType<typeof createApi>;

/** The calls of the chat. */
export function createApi(settings: ApiSettings) {
  const get = <T>(path: string) => request<T>(settings, "GET", path);
  const post = <T>(path: string, body?: unknown) =>
    request<T>(settings, "POST", path, body);
  return {
    /** A page of the user's rooms. @param page `next` of the page before */
    myRooms: (page = "") => get<Room[]>(`/rooms${page}`),
    findRooms: (name: string) => get<Room[]>(path`/rooms?all=true&q=${name}`),
    /** A page of a room's members. @param page `next` of the page before */
    members: (id: string, page: string) =>
      get<UserRef[]>(path`/rooms/${id}/members` + page),
    createRoom: (name: string) => post<Room>("/rooms", { name }),
    room: (id: string) => get<Room>(path`/rooms/${id}`),
    joinRoom: (id: string) => post<Room>(path`/rooms/${id}/join`),
    leaveRoom: (id: string) => post<void>(path`/rooms/${id}/leave`),
    newestMessages: (id: string) =>
      get<MessagePage>(path`/rooms/${id}/messages?limit=50`),
    /** The page just before or after a message. */
    messagesNextTo: (id: string, side: "before" | "after", messageId: string) =>
      get<MessagePage>(
        path`/rooms/${id}/messages?limit=50&${side}=${messageId}`,
      ),
  };
}

export type AuthApi = ReturnType<typeof createAuthApi>;

/** The calls of signing in. */
export function createAuthApi(settings: ApiSettings) {
  const post = <T>(path: string, body: unknown) =>
    request<T>(settings, "POST", path, body);
  return {
    requestCode: (username: string, email: string | undefined) =>
      post<{ message: string; code?: string }>("/auth/request-code", {
        username,
        email,
      }),
    verifyCode: (username: string, code: string) =>
      post<{ accessToken: string; user: UserRef }>("/auth/verify-code", {
        username,
        code,
      }),
  };
}

async function request<T>(
  { base, fetch, headers }: ApiSettings,
  method: string,
  path: string,
  body?: unknown,
): Promise<ApiResult<T>> {
  try {
    const response = await fetch(base + path, {
      method,
      headers: body === undefined
        ? { ...headers }
        : { ...headers, "content-type": "application/json" },
      // Undefined where there is none.
      body: JSON.stringify(body),
    });
    const text = await response.text();
    const data = text === "" ? undefined : JSON.parse(text);
    if (response.ok) return { ok: true, data, next: nextPage(response) };
    const { code = "internal" } = data ?? {};
    return { ok: false, code, status: response.status };
  } catch {
    return { ok: false, code: "unreachable", status: 0 };
  }
}

/** What the `Link` header says of the next page. */
function nextPage({ headers }: Response): string | undefined {
  return /\?[^>]+(?=>; rel="next")/.exec(headers.get("link") ?? "")?.[0];
}

/** Builds a path; what is filled in is encoded. */
function path(parts: TemplateStringsArray, ...values: string[]): string {
  return String.raw({ raw: parts }, ...values.map(encodeURIComponent));
}
