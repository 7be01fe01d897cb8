/**
 * What the pages' forms send when no script runs: everything the chat is for works then, too, by
 * posting and being led to a page (303), so that reloading repeats nothing.
 */

import { type Context, Hono } from "hono";
import { setCookie } from "hono/cookie";
import { createRoom } from "../../db/rooms.ts";
import type { Strings } from "../../islands/strings/en.ts";
import type { Session } from "../../realtime/connection/session.ts";
import { isBlank } from "../../text/blank.ts";
import { requestLoginCode, verifyLoginCode } from "../auth/login.ts";
import { Email, LoginCode, Username } from "../auth/login_schemas.ts";
import {
  clearSessionCookies,
  readSessionCookie,
  REFRESH_COOKIE,
  setSessionCookies,
} from "../auth/session_cookie.ts";
import { requestToken } from "../auth/session.ts";
import { endSession } from "../auth/sessions.ts";
import type { AppEnv, RouteDeps } from "../deps.ts";
import { clientNetwork } from "../middleware/client_address.ts";
import { isHttps } from "../middleware/request_origin.ts";
import { RoomName } from "../rooms/room_name.ts";
import { RoomParams } from "../rooms/room_schemas.ts";
import { renderLogin, safePath } from "./login_page.tsx";
import {
  asLanguage,
  asTheme,
  asTypingLine,
  LANGUAGE_COOKIE,
  THEME_COOKIE,
  TYPING_COOKIE,
} from "./page_request.ts";
import { pageSession } from "./page_session.ts";

/** Tells a page what the form before was refused for. */
export const PROBLEM_PARAMETER = "problem";

/** A year in seconds: how long a preference is kept. */
const YEAR_S = 31_536_000;

/** Mounted at the root. */
export function pageForms(deps: RouteDeps): Hono<AppEnv> {
  const { db, realtime, clock, config } = deps;
  const app = new Hono<AppEnv>();

  const signedIn = pageSession(deps);

  app.post("/login", (c) => signIn(deps, c));
  app.post("/logout", async (c) => {
    const ended = await endSession(deps, {
      accessToken: requestToken(c)?.token,
      refreshToken: readSessionCookie(c, REFRESH_COOKIE),
      pageUserId: c.req.query("user"),
    });
    if (ended === "other_user") return refuse(c, "/", "otherUsersForm");
    clearSessionCookies(c, config, ended.userId);
    return c.redirect("/login", 303);
  });
  app.post("/preferences", async (c) => {
    const form = await readForm(c);
    const keep = (name: string, value: string | undefined) => {
      if (value === undefined) return;
      const secure = isHttps(c, config);
      setCookie(c, name, value, {
        path: "/",
        maxAge: YEAR_S,
        sameSite: "Lax",
        secure,
      });
    };
    keep(THEME_COOKIE, asTheme(form.theme));
    keep(LANGUAGE_COOKIE, asLanguage(form.lang));
    keep(TYPING_COOKIE, asTypingLine(form.typing));
    return c.redirect(
      safePath(URL.parse(c.req.header("referer") ?? "")?.pathname),
      303,
    );
  });

  app.post("/rooms", signedIn, async (c) => {
    const { session } = c.var;
    if (isOtherUsersForm(c, session)) return refuse(c, "/", "otherUsersForm");
    const name = RoomName.safeParse((await readForm(c)).name);
    if (!name.success) return refuse(c, "/", "badRoomName");
    const id = crypto.randomUUID();
    const room = {
      id,
      name: name.data,
      createdBy: session.user.id,
      now: new Date(clock()),
    };
    switch (await createRoom(db, room, config)) {
      case "created":
        return c.redirect(`/rooms/${id}`, 303);
      case "name_taken":
        return refuse(c, "/", "roomNameTaken");
      case "too_many_rooms":
        return refuse(c, "/", "tooManyRooms");
      case "no_user":
        return c.redirect("/login", 303);
      default:
        return refuse(c, "/", "tooManyNewRooms");
    }
  });

  app.post("/rooms/:id/:action{join|leave|messages}", signedIn, async (c) => {
    const { session } = c.var;
    if (isOtherUsersForm(c, session)) return refuse(c, "/", "otherUsersForm");
    const id = RoomParams.safeParse({ id: c.req.param("id") }).data?.id;
    if (id === undefined) return refuse(c, "/", "roomMissing");
    const room = `/rooms/${id}`;
    switch (c.req.param("action")) {
      case "join": {
        const joined = await realtime.membership.join(session.user, id);
        if (joined === "no_room") return refuse(c, "/", "roomMissing");
        if (joined === "too_many_rooms") {
          return refuse(c, "/", "tooManyRooms");
        }
        return c.redirect(joined === "no_user" ? "/login" : room, 303);
      }
      case "leave":
        await realtime.membership.leave(session.user, id);
        return c.redirect("/", 303);
      default: {
        const { text = "", clientMsgId = "" } = await readForm(c);
        // A form that comes twice carries the same id and is one message.
        const isUuid = RoomParams.safeParse({ id: clientMsgId }).success;
        const post = {
          roomId: id,
          // Forms send line breaks as CR LF.
          text: text.replaceAll("\r\n", "\n"),
          clientMsgId: isUuid ? clientMsgId.toLowerCase() : crypto.randomUUID(),
        };
        if (isBlank(text)) return refuse(c, room, "blankMessage");
        const ack = await realtime.post(session.user, post);
        if (ack.success) return c.redirect(room, 303);
        return refuse(
          c,
          room,
          ack.code === "muted" ? "sendingTooFast" : "notSent",
        );
      }
    }
  });
  return app;
}

/** Both steps: without a code the form asks for one, with it it is tried. */
async function signIn(deps: RouteDeps, c: Context): Promise<Response> {
  const form = await readForm(c);
  const next = safePath(form.next);
  const username = Username.safeParse(form.username);
  if (!username.success) {
    return c.html(renderLogin(deps, c, { next, problem: "badUsername" }), 400);
  }
  const name = username.data;
  const network = clientNetwork(c, deps.config.trustedProxyHops);
  if (form.code === undefined) {
    const email = Email.optional().safeParse(form.email?.trim() || undefined);
    if (!email.success) {
      const problem = "badUsernameOrEmail";
      return c.html(renderLogin(deps, c, { next, problem }), 400);
    }
    const wanted = { username: name, email: email.data, network };
    const request = await requestLoginCode(deps, wanted);
    return request.ok
      ? c.html(
        renderLogin(deps, c, { next, username: name, code: request.loginCode }),
      )
      : c.html(renderLogin(deps, c, { next, problem: "tooManyTries" }), 429);
  }
  const code = LoginCode.safeParse(form.code.trim());
  const result = code.success
    ? await verifyLoginCode(deps, {
      username: name,
      loginCode: code.data,
      network,
      userAgent: c.req.header("user-agent"),
    })
    : { ok: false, code: "invalid_code" } as const;
  if (result.ok) {
    setSessionCookies(c, result.tokens, deps.config);
    return c.redirect(next, 303);
  }
  const [problem, status] = result.code === "invalid_code"
    ? ["badCode", 401] as const
    : ["tooManyTries", 429] as const;
  return c.html(
    renderLogin(deps, c, { next, username: name, problem }),
    status,
  );
}

/** Whether a form stands in a page that was drawn for another user than the session's. */
function isOtherUsersForm(c: Context, session: Session): boolean {
  const pageUser = c.req.query("user");
  return pageUser !== undefined && pageUser !== session.user.id;
}

function refuse(c: Context, path: string, problem: keyof Strings): Response {
  return c.redirect(`${path}?${PROBLEM_PARAMETER}=${problem}`, 303);
}

/** The form's text fields; a field given twice counts with its last value. */
async function readForm(
  c: Context,
): Promise<Record<string, string | undefined>> {
  const type = c.req.header("content-type") ?? "";
  if (
    !/^(application\/x-www-form-urlencoded|multipart\/form-data)\b/i.test(type)
  ) return {};
  const fields = Object.entries(await parseForm(c));
  return Object.fromEntries(
    fields.filter(([, value]) => typeof value === "string"),
  ) as Record<
    string,
    string
  >;
}

/** A body that is not a form, despite its type, has no fields. */
async function parseForm(c: Context): Promise<Record<string, unknown>> {
  try {
    return await c.req.parseBody();
  } catch (error) {
    if (error instanceof TypeError) return {};
    throw error;
  }
}
