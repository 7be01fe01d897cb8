/** Entry of the chat page: wires the client to the browser and the components to the client. */

import { computed, signal } from "@preact/signals";
import { hydrate, options } from "preact";
import { createApi } from "./client/api.ts";
import { lenientLocks, openStorage } from "./client/browser.ts";
import { ChatClient } from "./client/chat_client.ts";
import { systemClock } from "./client/clock.ts";
import { DEVICE_USER_KEY } from "./client/storage/device.ts";
import { writeJson } from "./client/storage/storage.ts";
import { webSocketTransport } from "./client/connection/websocket_transport.ts";
import { FallbackTransport } from "./client/connection/fallback_transport.ts";
import { laterTransport } from "./client/connection/later_transport.ts";
import { createRenewal } from "./client/auth/renewal.ts";
import { ChatApp } from "./components/chat_app.tsx";
import type { Extras, Note } from "./components/ui.ts";
import { listenToPage } from "./page_events.ts";
import type { ChatPageProps } from "./page_props.ts";

/** A hidden page gets no animation frames, but is drawn all the same; in milliseconds. */
const HIDDEN_DRAW_MS = 250;

const root = document.getElementById("chat");
// A browser older than 2024 keeps the page as the server has drawn it: its forms do all that is needed.
if (root && "canParse" in URL) {
  const page: ChatPageProps = JSON.parse(root.dataset.props ?? "{}");
  // Taking over the page empties it when it fails.
  const drawn = root.cloneNode(true) as HTMLElement;
  const starting = new AbortController();
  const failed = (
    { error, reason }: Partial<ErrorEvent & PromiseRejectionEvent>,
  ) => {
    root.replaceWith(drawn);
    const notice = document.getElementById("start-failure");
    if (notice === null) return;
    notice.hidden = false;
    notice.getElementsByTagName("i")[0]?.replaceChildren(`${error ?? reason}`);
  };
  addEventListener("error", failed, starting);
  addEventListener("unhandledrejection", failed, starting);
  start(root, page, () => starting.abort());
}

/** @param onAlive called when the page has come to life */
async function start(
  root: HTMLElement,
  page: ChatPageProps,
  onAlive: () => void,
): Promise<void> {
  const locks = lenientLocks(navigator.locks);
  const extras: Extras = {
    module: signal(),
    load: async () => extras.module.value ??= await import("./extras.ts"),
  };
  // What the server has drawn must be here before it is taken over.
  if (page.opened === undefined) await extras.load();
  const isOutdated = signal(false);
  const surroundings = {
    looks: signal(0),
    minute: signal(Date.now()),
    note: computed<Note>(() =>
      isOutdated.value ? "outdated" : transport.isBlocked && "fallback"
    ),
  };
  const { id: userId } = page.user;
  const storage = openStorage(() => localStorage);
  const tabStorage = openStorage(() => sessionStorage);
  // Tells tabs that show another user's page.
  writeJson(storage, DEVICE_USER_KEY, userId);
  const renewal = createRenewal({
    url: "/api/auth/refresh",
    fetch: fetch.bind(window),
    locks,
    userId,
    onOtherUser: () => client.connection.stop("otherUser"),
  });
  const websocket = webSocketTransport({
    url: `${location.origin.replace("http", "ws")}/ws`,
    userId,
    WebSocket,
  });
  const transport: FallbackTransport = new FallbackTransport(
    websocket,
    laterTransport(async () => {
      const { probingTransport, eventStreamTransport } = await extras.load();
      return probingTransport({
        eventStream: eventStreamTransport({
          url: "/api/events",
          fetch: renewal.fetch,
        }),
        websocket,
        clock: systemClock,
        probed: (works) => transport.probed(works),
      });
    }),
  );
  const client = new ChatClient({
    user: page.user,
    rooms: page.rooms,
    hasAllRooms: page.hasAllRooms,
    opened: page.opened,
    api: createApi({ base: "/api", fetch: renewal.fetch }),
    open: renewal.open(transport.open),
    storage,
    tabStorage,
    locks,
    clock: systemClock,
    random: Math.random,
    newId: newUuid,
  });
  hydrate(
    <ChatApp {...{ client, page, extras, surroundings, onAlive }} />,
    root,
  );

  listenToPage(client, transport, surroundings);
  client.connection.start();
  const outdated = () => {
    isOutdated.value = true;
  };
  // Without a network there is nothing to keep for later either.
  extras.load().then((module) => module.beginOutside(outdated), () => {});
}

/** Components that are to be drawn again are drawn together, once a frame, however much changes in between. */
options.debounceRendering = (draw) => {
  if (document.hidden) setTimeout(draw, HIDDEN_DRAW_MS);
  else requestAnimationFrame(draw);
};

/** `crypto.randomUUID` exists only over https and on localhost; this works everywhere (RFC 9562, v4). */
function newUuid(): string {
  return "10000000-1000-4000-8000-100000000000".replace(/[018]/g, (digit) => {
    const [random = 0] = crypto.getRandomValues(new Uint8Array(1));
    // The 8 keeps its first bit and gets two random ones; 0 and 1 become any digit.
    return (+digit ^ random & 15 >> +digit / 4).toString(16);
  });
}
