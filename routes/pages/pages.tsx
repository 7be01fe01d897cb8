/** The pages: signing in, the rooms, one room. Forms without script are answered in `page_forms.ts`. */

import { type Context, Hono } from "hono";
import { getCookie } from "hono/cookie";
import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import {
  findRoom,
  listAllRooms,
  listUserRooms,
  type RoomRow,
} from "../../db/rooms.ts";
import type { User } from "../../db/users.ts";
import { createApi } from "../../islands/client/api.ts";
import { ChatClient } from "../../islands/client/chat_client.ts";
import { MemoryStorage } from "../../islands/client/storage/storage.ts";
import { AccountMenu } from "../../islands/components/auth/account_menu.tsx";
import { ChatApp } from "../../islands/components/chat_app.tsx";
import { CreateRoom } from "../../islands/components/rooms/create_room.tsx";
import * as extras from "../../islands/extras.ts";
import type { ChatPageProps } from "../../islands/page_props.ts";
import type { Strings } from "../../islands/strings/en.ts";
import {
  createTranslate,
  type Translate,
} from "../../islands/text/translate.ts";
import { USER_HEADER } from "../../realtime/protocol/handshake.ts";
import { LEFT_COOKIE } from "../auth/session_cookie.ts";
import type { AppEnv, RouteDeps } from "../deps.ts";
import { readMessagePage } from "../messages/message_pages.ts";
import { DEFAULT_PAGE, MessagesQuery } from "../messages/messages.ts";
import { requestSession } from "../auth/session.ts";
import { decodeRoomCursor, encodeRoomCursor } from "../rooms/room_cursor.ts";
import { RoomParams } from "../rooms/room_schemas.ts";
import { roomView } from "../rooms/room_view.ts";
import { MAX_PAGE, MAX_QUERY } from "../schemas.ts";
import { renderLogin, safePath } from "./login_page.tsx";
import { renderDocument } from "./page_document.tsx";
import { pageForms, PROBLEM_PARAMETER } from "./page_forms.ts";
import {
  pageLanguage,
  pageTheme,
  pageTimeZone,
  pageTyping,
} from "./page_request.ts";
import { pageSession } from "./page_session.ts";

/** Where the list of the user's rooms begins on a page; see `room_cursor.ts`. */
const ROOMS_PARAMETER = "rooms";

/** Mounted at the root. */
export function pageRoutes(deps: RouteDeps): Hono<AppEnv> {
  const app = new Hono<AppEnv>();

  app.get("/login", async (c) => {
    if (await requestSession(c, deps.findSession)) return c.redirect("/", 302);
    const next = safePath(c.req.query("next"));
    return c.html(renderLogin(deps, c, { next, problem: asProblem(c) }));
  });
  const signedIn = pageSession(deps);
  app.get("/", signedIn, (c) => answerLobby(deps, c, "/"));
  app.get("/discover", signedIn, (c) => answerLobby(deps, c, "/discover"));
  app.get("/rooms/:id", signedIn, (c) => answerRoom(deps, c));

  app.route("/", pageForms(deps));
  return app;
}

async function answerLobby(
  deps: RouteDeps,
  c: Context<AppEnv>,
  path: string,
): Promise<Response> {
  const { session } = c.var;
  // PostgreSQL's text holds no NUL, so no room's name has one.
  const query = c.req.query("q")?.replaceAll("\0", "").slice(0, MAX_QUERY) ??
    "";
  const found = await listAllRooms(deps.db, session.user.id, {
    limit: MAX_PAGE,
    query,
  });
  const page = {
    ...await commonProps(deps, c, session.user, path),
    found: found.map((each) => roomView(each, deps.realtime.epoch)),
    query,
  };
  return c.html(renderChat(deps, c, page, page.strings.discover));
}

async function answerRoom(
  deps: RouteDeps,
  c: Context<AppEnv>,
): Promise<Response> {
  const { db } = deps;
  const { session } = c.var;
  const id = RoomParams.safeParse({ id: c.req.param("id") }).data?.id;
  const row = id === undefined
    ? undefined
    : await findRoom(db, id, session.user.id);
  const common = await commonProps(deps, c, session.user, c.req.path, row);
  if (row === undefined) {
    return c.html(renderChat(deps, c, common, common.strings.roomMissing), 404);
  }
  const { epoch } = deps.realtime;
  const room = roomView(row, epoch);
  if (!room.isMember) {
    return c.html(renderChat(deps, c, { ...common, room }, room.name));
  }
  const query = MessagesQuery.pick({ before: true }).safeParse(c.req.query());
  const page = query.success
    ? await readMessagePage(db, room.id, {
      limit: DEFAULT_PAGE,
      before: query.data.before,
    })
    : undefined;
  if (page === undefined) return c.redirect(c.req.path, 302);
  const roster = await deps.realtime.readRoster(room.id);
  const state = { lastRev: row.last_rev, epoch };
  const opened = { roomId: room.id, page: { ...page, ...state }, roster };
  const isNewest = query.data?.before === undefined;
  const history = (
    <HistoryLinks
      t={createTranslate(common.strings, common.locale)}
      older={page.hasMore ? page.messages[0]?.messageId : undefined}
      isNewest={isNewest}
    />
  );
  // A script that finds an older page begins where that ends, and catches up.
  const lastSeq = isNewest ? undefined : page.messages.at(-1)?.seq;
  const rooms = common.rooms.map((each) =>
    each.id === room.id ? { ...each, lastSeq: lastSeq ?? each.lastSeq } : each
  );
  return c.html(
    renderChat(deps, c, { ...common, rooms, room, opened }, room.name, history),
  );
}

async function commonProps(
  { db, realtime, config }: RouteDeps,
  c: Context,
  user: User,
  path: string,
  open?: RoomRow,
): Promise<ChatPageProps> {
  // Tells the service worker whose page it keeps.
  c.header(USER_HEADER, user.id);
  await realtime.flushReadMarkers();
  const after = decodeRoomCursor(c.req.query(ROOMS_PARAMETER) ?? "");
  const found = await listUserRooms(db, user.id, {
    limit: MAX_PAGE + 1,
    after,
  });
  const { rooms, next } = cutRooms(found, open);
  return {
    ...pageLanguage(c),
    user: { id: user.id, username: user.username },
    rooms: rooms.map((each) => roomView(each, realtime.epoch)),
    moreRooms: next && `?${ROOMS_PARAMETER}=${encodeRoomCursor(next)}`,
    hasAllRooms: after === undefined && next === undefined,
    path,
    timeZone: pageTimeZone(c),
    theme: pageTheme(c),
    typing: pageTyping(c),
    messageLimit: {
      messages: config.rateLimit.messages,
      windowMs: config.rateLimit.windowMs,
    },
    formMessageId: crypto.randomUUID(),
    problem: asProblem(c),
  };
}

/**
 * The rooms of one page, the open one among them if the user is a member of it.
 *
 * @param found one more than the page has place for, when there are more
 * @returns `next`: the room after which the next page begins; undefined on the last one
 */
function cutRooms(
  found: RoomRow[],
  open: RoomRow | undefined,
): { rooms: RoomRow[]; next: RoomRow | undefined } {
  const page = found.slice(0, MAX_PAGE);
  const isMissing = open && open.joined_at !== null &&
    !page.some(({ id }) => id === open.id);
  if (isMissing) page.splice(MAX_PAGE - 1);
  const next = page.length < found.length ? page.at(-1) : undefined;
  return { rooms: isMissing ? [...page, open] : page, next };
}

/** What scrolling does where a script runs. */
function HistoryLinks({ t, older, isNewest }: {
  t: Translate;
  /** The first message of the page, when there are messages before it. */
  older: string | undefined;
  isNewest: boolean;
}) {
  return (older || !isNewest) && (
    <nav class="history" aria-label={t("messages")}>
      {older && <a href={`?before=${older}`}>{t("loadOlder")}</a>}
      {!isNewest && <a href="?">{t("jumpToLatest")}</a>}
    </nav>
  );
}

function renderChat(
  { manifest, clock }: RouteDeps,
  c: Context,
  page: ChatPageProps,
  title: string,
  withoutScript?: ComponentChildren,
): string {
  const unused = () => {
    throw new Error("a page that is being rendered has no network");
  };
  const client = new ChatClient({
    user: page.user,
    rooms: page.rooms,
    hasAllRooms: page.hasAllRooms,
    opened: page.opened,
    api: createApi({ base: "", fetch: unused }),
    open: unused,
    storage: new MemoryStorage(),
    clock: { now: clock, date: clock, after: () => () => {} },
    random: Math.random,
    newId: crypto.randomUUID.bind(crypto),
  });
  const t = createTranslate(page.strings, page.locale);
  const problem = page.room ? undefined : page.problem;
  const served = {
    create: <CreateRoom t={t} user={page.user} problem={problem} />,
    menu: <AccountMenu t={t} {...page} />,
  };
  const loaded = {
    module: signal(extras),
    load: () => Promise.resolve(extras),
  };
  return renderDocument(manifest, {
    title,
    lang: page.lang,
    theme: page.theme,
    typing: page.typing,
    entry: "chat",
    hasLeft: getCookie(c, LEFT_COOKIE) !== undefined,
    props: page,
    startFailure: { lead: t("startFailed"), reload: t("reload") },
    withoutScript,
    body: (
      <ChatApp
        client={client}
        page={page}
        extras={loaded}
        served={served}
        surroundings={{
          note: signal(false),
          looks: signal(0),
          minute: signal(clock()),
        }}
      />
    ),
  });
}

/** What a form was refused for, from the address it led to. Only names of texts pass. */
function asProblem(c: Context): keyof Strings | undefined {
  const name = c.req.query(PROBLEM_PARAMETER) ?? "";
  const { strings } = pageLanguage(c);
  return Object.hasOwn(strings, name) ? name as keyof Strings : undefined;
}
