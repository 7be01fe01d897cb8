/**
 * Throws random requests, cookies, cursors and frames at a running server and looks at what comes
 * back: never a 500, never an answer that shows the inside, never a socket left without an answer.
 */

import { MAX_FRAME_BYTES } from "../../realtime/protocol/limits.ts";
import { Random } from "../faults/random.ts";
import type { TestApp } from "../helpers/app.ts";
import { connect } from "../helpers/client.ts";
import {
  createRoom,
  type Person,
  type Room,
  signIn,
} from "../helpers/people.ts";
import { mutate, nastyText, nastyValue, nearlyJson } from "./nasty.ts";

/** Actors at work at the same time. */
const REQUESTERS = 3;
const TALKERS = 2;

/** Frames on one socket before it must still answer. */
const FRAMES_PER_SOCKET = 40;

/** Rounds that a socket with its frames counts as; a request counts as one. */
const ROUNDS_OF_SOCKET = 10;

/** Close codes that the protocol names for frames like these. */
const CLOSE_CODES = new Set([1003, 1009, 4401, 4408, 4429]);

/** What no answer may show: paths of the program, stacks, the database's own words. */
const INSIDE =
  /\bat (?:async )?\S+ \(|file:\/\/\/|node_modules|\.ts:\d+|SQLSTATE|syntax error at or near|relation "|kysely|pglite|invalid input syntax/i;

export interface FuzzCounts {
  requests: number;
  frames: number;
  sockets: number;
  /** How often each status was answered, and each close code. */
  readonly statuses: Map<number, number>;
  readonly closes: Map<number, number>;
  /** What must not have happened, with the input that led to it. */
  readonly faults: string[];
}

interface Target {
  readonly app: TestApp;
  readonly counts: FuzzCounts;
  /** Whether an actor that has had so many rounds is to go on. */
  readonly goesOn: (rounds: number) => boolean;
}

/**
 * Fuzzes. The same seed draws the same inputs; how they interleave may differ.
 *
 * @param options.goesOn whether an actor that has had so many rounds is to go on: a request is one,
 *   a socket with its frames ten
 */
export async function fuzz(
  app: TestApp,
  options: { seed: number; goesOn: (rounds: number) => boolean },
): Promise<FuzzCounts> {
  const counts: FuzzCounts = {
    requests: 0,
    frames: 0,
    sockets: 0,
    statuses: new Map(),
    closes: new Map(),
    faults: [],
  };
  const target: Target = { app, counts, goesOn: options.goesOn };
  const seeds = new Random(options.seed);
  await Promise.all([
    ...numbered(REQUESTERS, (n) => request(target, seeds.fork(`request ${n}`))),
    ...numbered(TALKERS, (n) => talk(target, seeds.fork(`talk ${n}`))),
  ]);
  return counts;
}

function numbered<T>(count: number, make: (n: number) => T): T[] {
  return Array.from({ length: count }, (_, n) => make(n));
}

interface Actor {
  person: Person;
  room: Room;
}

let actors = 0;

/** Somebody new with a room. */
async function newActor(app: TestApp): Promise<Actor> {
  const person = await signIn(app, `fuzz_${(actors++).toString(36)}`);
  return { person, room: await createRoom(person) };
}

async function request(target: Target, random: Random): Promise<void> {
  const { app, counts } = target;
  const actor = await newActor(app);
  for (let rounds = 0; target.goesOn(rounds); rounds++) {
    const { method, path, init } = drawRequest(random, actor);
    const what = () => `${method} ${path} ${shown(init)}`;
    let answer: Response;
    try {
      answer = await fetch(app.origin + path, init);
    } catch (error) {
      // Headers that the client itself refuses to send.
      if (
        error instanceof TypeError && /header|ByteString/i.test(error.message)
      ) {
        continue;
      }
      counts.faults.push(`${what()}: ${error}`);
      continue;
    }
    counts.requests++;
    add(counts.statuses, answer.status);
    if (/event-stream/.test(answer.headers.get("content-type") ?? "")) {
      await answer.body?.cancel();
      continue;
    }
    const body = await answer.text();
    if (answer.status >= 500) counts.faults.push(`${what()}: ${body}`);
    if (answer.status >= 400 && INSIDE.test(body)) {
      counts.faults.push(`${what()} shows: ${body.slice(0, 300)}`);
    }
    const type = answer.headers.get("content-type");
    if (
      answer.status >= 400 && method !== "HEAD" && path.startsWith("/api/") &&
      type !== "application/problem+json"
    ) counts.faults.push(`${what()}: ${answer.status} as ${type}`);
  }
}

function drawRequest(random: Random, { person, room }: Actor) {
  const text = () => encodeURIComponent(wellFormed(nastyText(random)));
  const id = random.pick([room.id, room.id, crypto.randomUUID(), text()]);
  const [method, base, shape] = random.pick(
    [
      ["POST", "/api/auth/request-code", {
        username: "fuzzed",
        email: "a@b.cc",
      }],
      ["POST", "/api/auth/verify-code", { username: "fuzzed", code: "123456" }],
      ["POST", "/api/auth/refresh", {}],
      ["GET", "/api/auth/me", undefined],
      ["GET", "/api/auth/sessions", undefined],
      ["DELETE", `/api/auth/sessions/${id}`, undefined],
      ["GET", "/api/rooms", undefined],
      ["POST", "/api/rooms", { name: `Fuzz ${random.int(0, 1e9)}` }],
      ["GET", `/api/rooms/${id}`, undefined],
      ["POST", `/api/rooms/${id}/join`, {}],
      ["GET", `/api/rooms/${id}/members`, undefined],
      ["GET", `/api/rooms/${id}/messages`, undefined],
      ["POST", `/api/rooms/${id}/read`, { lastSeq: 0 }],
      ["GET", "/api/events", undefined],
      ["POST", "/api/events", { id: 1, event: "presence:ping", data: {} }],
      ["GET", `/rooms/${id}`, undefined],
      ["POST", "/login", { username: "fuzzed" }],
      ["POST", `/rooms/${id}/messages`, { text: "hello" }],
      ["GET", `/static/${text()}`, undefined],
      ["GET", `/${text()}`, undefined],
    ] as [string, string, Record<string, unknown> | undefined][],
  );
  const query = ["limit", "cursor", "before", "after", "q", "all", "connection"]
    .filter(() => random.chance(0.15)).map((name) => `${name}=${text()}`);
  const path = query.length === 0 ? base : `${base}?${query.join("&")}`;
  const headers = drawHeaders(random, person);
  const init: RequestInit = { method, headers, redirect: "manual" };
  if (shape !== undefined) {
    const value = random.chance(0.85)
      ? mutate(random, shape)
      : nastyValue(random);
    init.body = nearlyJson(random, value);
    headers["content-type"] = random.pick([
      ...["application/json", "application/json", "application/json"],
      ...[
        "application/x-www-form-urlencoded",
        "text/plain",
        "multipart/form-data",
      ],
      ...["multipart/form-data; boundary=x", "", "application/json; charset=x"],
    ]);
  }
  return { method, path, init };
}

/** A session that is good, damaged or invented, by header or by cookie, and other odd headers. */
function drawHeaders(random: Random, { token }: Person) {
  const headers: Record<string, string> = {};
  const value = random.chance(0.6)
    ? token
    : random.pick([damaged(random, token), printable(nastyText(random))]);
  if (random.chance(0.5)) headers.authorization = `Bearer ${value}`;
  else {
    const refresh = printable(nastyText(random));
    headers.cookie = random.pick([
      `chatket_session=${value}`,
      `a=b; chatket_session=${value}; chatket_refresh=${refresh}`,
      `chatket_session=${value}; ${printable(nastyText(random))}`,
    ]);
  }
  if (random.chance(0.1)) headers.origin = printable(nastyText(random));
  if (random.chance(0.1)) {
    headers["accept-language"] = printable(nastyText(random));
  }
  if (random.chance(0.1)) {
    headers["x-forwarded-for"] = printable(nastyText(random));
  }
  return headers;
}

async function talk(target: Target, random: Random): Promise<void> {
  const { app, counts } = target;
  let actor = await newActor(app);
  for (let rounds = 0; target.goesOn(rounds); rounds += ROUNDS_OF_SOCKET) {
    const client = await connect(app, actor.person);
    counts.sockets++;
    const sent: string[] = [];
    for (let n = 0; n < FRAMES_PER_SOCKET; n++) {
      const frame = drawFrame(random, actor.room);
      sent.push(shown(frame));
      client.sendRaw(frame);
      counts.frames++;
    }
    try {
      await client.request("presence:ping", {});
    } catch (error) {
      const { code } = await Promise.race([
        client.closed,
        new Promise<{ code: number }>((resolve) =>
          setTimeout(() => resolve({ code: 0 }), 1_000)
        ),
      ]);
      add(counts.closes, code);
      if (!CLOSE_CODES.has(code)) {
        counts.faults.push(
          `${error}; frames: ${sent.join(" | ").slice(0, 2_000)}`,
        );
      }
    }
    for (const frame of client.frames) {
      if (INSIDE.test(frame)) counts.faults.push(`a frame shows: ${frame}`);
    }
    await client.close();
    if (random.chance(0.05)) actor = await newActor(app);
  }
}

function drawFrame(
  random: Random,
  room: Room,
): string | Uint8Array<ArrayBuffer> {
  const roomId = random.chance(0.8) ? room.id : crypto.randomUUID();
  const clientMsgId = crypto.randomUUID();
  const lastSeenAt = "2026-01-01T00:00:00.000Z";
  const [event, shape] = random.pick<[string, Record<string, unknown>]>([
    ["message:send", { roomId, clientMsgId, text: nastyText(random) }],
    ["rooms:sync", { rooms: [mutate(random, { roomId, lastSeenAt })] }],
    ["room:join", { roomId, lastSeq: random.int(-1, 9), lastSeenAt }],
    ["room:leave", { roomId }],
    ["room:read", { roomId, lastSeq: random.int(0, 9) }],
    ["typing:update", { roomId, isTyping: true }],
    ["presence:ping", { roomId }],
    [nastyText(random), {}],
  ]);
  const data = random.chance(0.9) ? mutate(random, shape) : nastyValue(random);
  // No id: the strict client knows only the acks that it asked for.
  const frame = random.chance(0.95) ? { event, data } : nastyValue(random);
  if (random.chance(0.002)) return "x".repeat(MAX_FRAME_BYTES + 1);
  if (random.chance(0.002)) return new Uint8Array(3);
  const text = nearlyJson(random, frame);
  const isAcked = typeof text === "string" && /"id"|"ack"/.test(text);
  return typeof text === "string" && !isAcked ? text : "{}";
}

function damaged(random: Random, token: string): string {
  const at = random.int(0, token.length - 1);
  const other = random.pick(["A", "B", ".", "=", "-", ""]);
  return token.slice(0, at) + other + token.slice(at + random.int(0, 2));
}

/** What a header may hold. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, "").slice(0, 4_000);
}

function wellFormed(text: string): string {
  return text.toWellFormed().slice(0, 2_000);
}

function add(counts: Map<number, number>, key: number): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function shown(value: unknown): string {
  return Deno.inspect(value, { strAbbreviateSize: 300, depth: 5 });
}
