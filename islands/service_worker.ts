/**
 * Keeps the chat usable without a network: pages come from the network and, when that is away, as they
 * were seen last; built files come from the cache, where their hashed names never go stale.
 *
 * Each build has caches of its own. So an old page is never run with new scripts or the other way
 * round: with the build go its pages. Its files stay for one build more, for pages that are still open
 * and fetch a part of themselves only now.
 */

import { USER_HEADER } from "../realtime/protocol/handshake.ts";
import { PAGES_PREFIX } from "./client/auth/sign_out.ts";

/** Put here by `build.ts`. */
declare const BUILD: { version: string; files: string[] };

/** The parts of the service worker's global scope that are used; the DOM library lacks them. */
interface WorkerScope {
  addEventListener(
    type: "install" | "activate",
    listener: (event: ExtendableEvent) => void,
  ): void;
  addEventListener(type: "fetch", listener: (event: FetchEvent) => void): void;
  skipWaiting(): Promise<void>;
  readonly clients: { claim(): Promise<void> };
}

interface ExtendableEvent {
  waitUntil(work: Promise<unknown>): void;
}

interface FetchEvent extends ExtendableEvent {
  readonly request: Request;
  respondWith(response: Promise<Response>): void;
}

const worker = globalThis as unknown as WorkerScope;
const FILES_PREFIX = "chatket-files-";
const FILES_CACHE = FILES_PREFIX + BUILD.version;
const PAGES_CACHE = PAGES_PREFIX + BUILD.version;
const FILES_PATH = "/static/build/";

/** Where users sign in and out. */
const SIGNING = /^\/(log(in|out)|api\/auth\/(logout|verify-code))$/;

/** The pages that are worth keeping. */
const PAGE = /^\/(discover|rooms\/[\w-]+)?$/;

worker.addEventListener("install", (event) => {
  event.waitUntil(keepFiles().then(() => worker.skipWaiting()));
});

worker.addEventListener("activate", (event) => {
  event.waitUntil(removeOldCaches().then(() => worker.clients.claim()));
});

worker.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (origin !== location.origin) return;
  // The user who signs in next must not find what the one before has read.
  if (SIGNING.test(pathname)) event.waitUntil(caches.delete(PAGES_CACHE));
  if (request.method !== "GET") return;
  if (pathname.startsWith(FILES_PATH)) event.respondWith(cacheFirst(request));
  else if (request.mode === "navigate" && PAGE.test(pathname)) {
    event.respondWith(networkFirst(event, pathname));
  }
});

async function keepFiles(): Promise<void> {
  const cache = await caches.open(FILES_CACHE);
  await cache.addAll(BUILD.files.map((file) => FILES_PATH + file));
}

async function removeOldCaches(): Promise<void> {
  const names = await caches.keys();
  // In the order in which they were made: this build's is the last.
  const files = names.filter((name) => name.startsWith(FILES_PREFIX));
  const kept = [PAGES_CACHE, ...files.slice(-2)];
  const old = names.filter((name) => !kept.includes(name));
  await Promise.all(old.map((name) => caches.delete(name)));
}

async function cacheFirst(request: Request): Promise<Response> {
  // A cache that cannot be read keeps no page from its script.
  const kept = await caches.match(request).catch(() => undefined);
  return kept ?? await fetch(request);
}

async function networkFirst(
  event: FetchEvent,
  pathname: string,
): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(event.request);
  } catch (error) {
    const kept = await caches.match(pathname, { cacheName: PAGES_CACHE }) ??
      await caches.match("/", { cacheName: PAGES_CACHE });
    if (kept === undefined) throw error;
    return kept;
  }
  if (response.ok) {
    // Beside the answer: a browser that has no room for the page still shows it.
    event.waitUntil(keepPage(pathname, response.clone()).catch(() => {}));
  }
  return response;
}

/**
 * Keeps a page, without its query: what a form was refused for belongs to one visit. Pages of another
 * user go: in this browser the one who was signed in last must find no other's.
 */
async function keepPage(pathname: string, response: Response): Promise<void> {
  let cache = await caches.open(PAGES_CACHE);
  const [first] = await cache.keys();
  const other = first && await cache.match(first);
  if (other && userOf(other) !== userOf(response)) {
    await caches.delete(PAGES_CACHE);
    cache = await caches.open(PAGES_CACHE);
  }
  await cache.put(pathname, response);
}

function userOf(page: Response): string | null {
  return page.headers.get(USER_HEADER);
}
