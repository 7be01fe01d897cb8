/** Joins the app to the runtime's server, and keeps the rules that the runtime has for answers. */

import type { OpenAPIHono } from "@hono/zod-openapi";
import type { AppEnv } from "./deps.ts";

/** Statuses whose answers have no length. */
const WITHOUT_LENGTH = new Set([204, 304]);

/** The handler for `Deno.serve`. */
export function createHandler(
  app: Pick<OpenAPIHono<AppEnv>, "fetch">,
): (
  request: Request,
  info: Pick<Deno.ServeHandlerInfo, "remoteAddr">,
) => Promise<Response> {
  return async (request, { remoteAddr }) => {
    const env: AppEnv["Bindings"] = { remoteAddr };
    const isHead = request.method === "HEAD";
    try {
      const answer = await app.fetch(request, env);
      // After an upgrade any other answer, an error's too, ends the server's listener for good.
      return env.upgraded ?? (isHead ? withoutLength(answer) : answer);
    } catch (error) {
      if (env.upgraded !== undefined) return env.upgraded;
      throw error;
    }
  };
}

/**
 * An answer to HEAD. The runtime gives one without a body the length 0, which would be said of the
 * body that GET has; one with a stream has no length.
 */
function withoutLength(answer: Response): Response {
  if (
    answer.body !== null || WITHOUT_LENGTH.has(answer.status) ||
    answer.headers.has("content-length")
  ) return answer;
  const nothing = new ReadableStream({ start: (body) => body.close() });
  return new Response(nothing, answer);
}
