/** Entry of the chat page: wires the client to the browser and the components to the client. */

import { hydrate } from "preact";
import { createApi } from "./client/api.ts";
import { lenientLocks, openStorage } from "./client/browser.ts";
import { ChatClient } from "./client/chat_client.ts";
import { systemClock } from "./client/clock.ts";
import { DEVICE_USER_KEY } from "./client/device.ts";
import { writeJson } from "./client/storage.ts";
import { webSocketTransport } from "./client/websocket_transport.ts";
import { FallbackTransport } from "./client/fallback_transport.ts";
import { laterTransport } from "./client/later_transport.ts";
import { createRenewal } from "./client/renewal.ts";
import { ChatApp } from "./components/chat_app.tsx";
import type { Extras } from "./components/later.tsx";
import type { ChatPageProps } from "./page_props.ts";

/** A hidden page gets no animation frames, but its title still follows; in milliseconds. */
const HIDDEN_DRAW_MS = 250;

/** While nothing else happens the page is drawn this often: today becomes yesterday. In milliseconds. */
const IDLE_DRAW_MS = 60_000;

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
  start(root, page, createDrawing(() => starting.abort()));
}

async function start(
  root: HTMLElement,
  page: ChatPageProps,
  drawing: ReturnType<typeof createDrawing>,
): Promise<void> {
  const locks = lenientLocks(navigator.locks);
  const extras: Extras = {
    module: undefined,
    load: async () => extras.module ??= await import("./extras.ts"),
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
  const transport = new FallbackTransport(
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
        probed: (works) => {
          transport.probed(works);
          drawing.request();
        },
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
    onChange: drawing.request,
  });
  let isOutdated = false;
  const controls = {
    onDraw: drawing.subscribe,
    note: () => isOutdated ? "outdated" : transport.isBlocked && "fallback",
  } as const;
  // What the server has drawn must be here before it is taken over.
  if (page.opened === undefined) await extras.load();
  hydrate(
    <ChatApp client={client} page={page} extras={extras} controls={controls} />,
    root,
  );

  addEventListener("online", () => {
    transport.forgetFailures();
    client.connection.wake();
  });
  addEventListener("offline", () => client.connection.networkLost());
  addEventListener("focus", () => {
    // Another device may have joined or left rooms.
    client.rooms.refresh();
    drawing.request();
  });
  const onStorage = ({ key, newValue }: StorageEvent) => {
    if (key !== DEVICE_USER_KEY || newValue !== null) {
      return client.storageChanged(key);
    }
    // The user has signed out in another tab: what is removed now is not to be put back.
    removeEventListener("storage", onStorage);
    location.reload();
  };
  addEventListener("storage", onStorage);
  addEventListener(
    "pageshow",
    ({ persisted }) => persisted && client.connection.wake(),
  );
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") client.connection.wake();
    drawing.request();
  });
  setInterval(drawing.request, IDLE_DRAW_MS);
  client.connection.start();
  const outdated = () => {
    isOutdated = true;
    drawing.request();
  };
  // Without a network there is nothing to keep for later either.
  extras.load().then((module) => module.beginOutside(outdated), () => {});
}

/**
 * Draws at most once a frame, however much changes in between.
 *
 * @param onAlive called when the page has come to life: it draws from now on
 */
function createDrawing(onAlive: () => void) {
  let draw = () => {};
  let isRequested = false;
  const run = () => {
    isRequested = false;
    draw();
  };
  return {
    request() {
      if (isRequested) return;
      isRequested = true;
      if (document.hidden) setTimeout(run, HIDDEN_DRAW_MS);
      else requestAnimationFrame(run);
    },
    subscribe(callback: () => void) {
      onAlive();
      draw = callback;
      return () => {
        draw = () => {};
      };
    },
  };
}

/** `crypto.randomUUID` exists only over https and on localhost; this works everywhere (RFC 9562, v4). */
function newUuid(): string {
  return "10000000-1000-4000-8000-100000000000".replace(/[018]/g, (digit) => {
    const [random = 0] = crypto.getRandomValues(new Uint8Array(1));
    // The 8 keeps its first bit and gets two random ones; 0 and 1 become any digit.
    return (+digit ^ random & 15 >> +digit / 4).toString(16);
  });
}
