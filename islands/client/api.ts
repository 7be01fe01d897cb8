/** The REST API as result values: a refusal is `{ ok: false }` with its code, nothing is thrown. */

import type { MessagePage, Room } from "../../realtime/protocol/protocol.ts";

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

/** A server's API. The calls themselves stand with those who make them: what is fetched late stays out of the rest. */
export interface Api {
  get<T>(path: string): Promise<ApiResult<T>>;
  /** @param body sent as JSON */
  post<T>(path: string, body?: unknown): Promise<ApiResult<T>>;
}

/** An API that answers with results. */
export function createApi(settings: ApiSettings): Api {
  return {
    get: (path) => request(settings, "GET", path),
    post: (path, body) => request(settings, "POST", path, body),
  };
}

/** What is known of a room; also of one that the user is not in. */
export const findRoom = (api: Api, id: string) =>
  api.get<Room>(path`/rooms/${id}`);

/** The newest page of a room's history. */
export const newestMessages = (api: Api, id: string) =>
  api.get<MessagePage>(path`/rooms/${id}/messages?limit=50`);

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
export function path(parts: TemplateStringsArray, ...values: string[]): string {
  return String.raw({ raw: parts }, ...values.map(encodeURIComponent));
}
