/** Signs and verifies session tokens; makes and hashes login codes. Knows neither requests nor cookies. */

import { jwtVerify, SignJWT } from "jose";
import {
  createHmac,
  createSecretKey,
  type KeyObject,
  timingSafeEqual,
} from "node:crypto";
import { z } from "zod";

/** The one algorithm that is signed and accepted. */
const ALGORITHM = "HS256";

/** Latest `exp` that a JavaScript date can hold, in seconds since 1970. */
const MAX_EXPIRY_SECONDS = 8_640_000_000_000;

/** Keys made of the one secret: each purpose has its own. */
export interface SessionKeys {
  /** Signs session tokens: the secret's own bytes, so that other HS256 tools agree. */
  readonly token: CryptoKey;
  /** The same key, for the synchronous check of {@link peekSession}. */
  readonly signature: KeyObject;
  /** Hashes login codes. */
  readonly code: CryptoKey;
  /** Marks refresh tokens as ours. */
  readonly refresh: CryptoKey;
}

/** By how much the clock of a host that issues tokens may be ahead of ours. */
const CLOCK_SKEW_SECONDS = 5;

/** What a valid token says. */
export interface TokenClaims {
  readonly userId: string;
  readonly username: string;
  /** The session it belongs to; undefined for a token that another program has signed. */
  readonly sessionId: string | undefined;
  /** Milliseconds since 1970, in whole seconds. */
  readonly issuedAt: number;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

const Claims = z.object({
  sub: z.uuid(),
  username: z.string(),
  sid: z.uuid().optional(),
  iat: z.number(),
  exp: z.int().positive().max(MAX_EXPIRY_SECONDS),
});

const HMAC = { name: "HMAC", hash: "SHA-256" } as const;

/** @param secret at least one character; its length is the settings' concern */
export async function createSessionKeys(secret: string): Promise<SessionKeys> {
  const bytes = new TextEncoder().encode(secret);
  const root = await crypto.subtle.importKey("raw", bytes, "HKDF", false, [
    "deriveKey",
  ]);
  const derive = (purpose: string) =>
    crypto.subtle.deriveKey(
      {
        name: "HKDF",
        hash: "SHA-256",
        salt: new Uint8Array(),
        info: new TextEncoder().encode(purpose),
      },
      root,
      { ...HMAC, length: 256 },
      false,
      ["sign", "verify"],
    );
  return {
    token: await crypto.subtle.importKey("raw", bytes, HMAC, false, [
      "sign",
      "verify",
    ]),
    signature: createSecretKey(bytes),
    code: await derive("chatket login codes"),
    refresh: await derive("chatket refresh tokens"),
  };
}

/**
 * An access token `{ sub, username, sid, iat, exp }`.
 *
 * @param options.now milliseconds since 1970
 */
export async function signSession(
  keys: SessionKeys,
  user: { id: string; username: string },
  options: { now: number; expiresInSeconds: number; sessionId?: string },
): Promise<string> {
  const issuedAt = Math.floor(options.now / 1000);
  const { sessionId } = options;
  return await new SignJWT({
    username: user.username,
    ...(sessionId === undefined ? {} : { sid: sessionId }),
  })
    .setProtectedHeader({ alg: ALGORITHM, typ: "JWT" })
    .setSubject(user.id)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + options.expiresInSeconds)
    .sign(keys.token);
}

/**
 * The claims of a token, undefined for anything but a token of ours that still lives. Whether its
 * user still exists is for the caller to look up.
 *
 * No clock tolerance: the processes that sign are the ones that verify, and a token accepted
 * after its `exp` would open a socket that is closed at once.
 */
export async function verifySession(
  keys: SessionKeys,
  token: string,
  now: number,
): Promise<TokenClaims | undefined> {
  try {
    const { payload } = await jwtVerify(token, keys.token, {
      algorithms: [ALGORITHM],
      requiredClaims: ["exp", "iat", "sub"],
      currentDate: new Date(now),
      clockTolerance: CLOCK_SKEW_SECONDS,
    });
    const claims = Claims.safeParse(payload);
    // The tolerance is for `nbf`. A token that has expired is refused to the second: its socket would
    // be closed as soon as it opened.
    return claims.success ? livingClaims(claims.data, now) : undefined;
  } catch {
    // jose throws for every kind of bad token; its messages are of no use to the one who sent it.
    return undefined;
  }
}

/**
 * What a token says that carries our signature and has not expired; undefined for any other. Not the
 * whole check, which is {@link verifySession}, but synchronous: for what must not wait, and to keep out
 * strangers meanwhile.
 *
 * @param now milliseconds since 1970
 */
export function peekSession(
  keys: SessionKeys,
  token: string,
  now: number,
): TokenClaims | undefined {
  const [header, payload, signature, ...rest] = token.split(".");
  if (signature === undefined || rest.length > 0) return undefined;
  const expected = createHmac("sha256", keys.signature)
    .update(`${header}.${payload}`).digest("base64url");
  // First of all, so that nothing that a stranger wrote is parsed.
  if (!isSame(signature, expected)) return undefined;
  const { data: claims } = Claims.safeParse(decodeJson(payload!));
  return claims && livingClaims(claims, now);
}

/** Undefined when they have expired. */
function livingClaims(
  { sub, username, sid, iat, exp }: z.output<typeof Claims>,
  now: number,
): TokenClaims | undefined {
  if (exp * 1000 <= now) return undefined;
  return {
    userId: sub.toLowerCase(),
    username,
    sessionId: sid,
    issuedAt: iat * 1000,
    expiresAt: exp * 1000,
  };
}

/** Compares in a time that does not depend on where the two differ. */
function isSame(given: string, expected: string): boolean {
  const [a, b] = [utf8(given), utf8(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Undefined for what is no JSON. */
function decodeJson(part: string): unknown {
  try {
    const bytes = Uint8Array.fromBase64(part, { alphabet: "base64url" });
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

/** Largest multiple of a million that 32 bits hold: numbers from there on would favour low codes. */
const FAIR_LIMIT = 4_294_000_000;

/** Six random digits, each of the million codes as likely as the next. */
export function createLoginCode(): string {
  const number = new Uint32Array(1);
  do crypto.getRandomValues(number); while (number[0]! >= FAIR_LIMIT);
  return String(number[0]! % 1_000_000).padStart(6, "0");
}

/**
 * Keyed hash of a login code, in hexadecimal. A million codes are tried in a moment, so the key,
 * which is not in the database, is what protects a stolen table.
 */
export async function hashLoginCode(
  keys: SessionKeys,
  userId: string,
  code: string,
): Promise<string> {
  const text = new TextEncoder().encode(`${userId}:${code}`);
  return new Uint8Array(await crypto.subtle.sign("HMAC", keys.code, text))
    .toHex();
}

/** Random bytes of a refresh token. */
const REFRESH_BYTES = 32;

/** The shape of a refresh token: session, random part, mark. */
const REFRESH_TOKEN =
  /^([\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})\.([\w-]{43})\.([\w-]{43})$/;

/**
 * A refresh token of a session. It carries a mark of ours, so that an old one that comes back can be
 * told from an invented one: only the former is a reason to end the session.
 */
export async function createRefreshToken(
  keys: SessionKeys,
  sessionId: string,
): Promise<string> {
  const random = crypto.getRandomValues(new Uint8Array(REFRESH_BYTES));
  return await markRefreshToken(keys, sessionId, random);
}

/**
 * The refresh token that follows one, the same each time: whoever sends a token twice can be given the
 * same successor by any process, without the successor having been stored anywhere. Only who has the key
 * can tell it from the token before.
 */
export async function nextRefreshToken(
  keys: SessionKeys,
  sessionId: string,
  token: string,
): Promise<string> {
  const bytes = await crypto.subtle.sign(
    HMAC,
    keys.refresh,
    utf8(`after ${token}`),
  );
  return await markRefreshToken(keys, sessionId, new Uint8Array(bytes));
}

async function markRefreshToken(
  keys: SessionKeys,
  sessionId: string,
  random: Uint8Array,
): Promise<string> {
  const body = `${sessionId}.${toBase64Url(random)}`;
  const mark = await crypto.subtle.sign(HMAC, keys.refresh, utf8(body));
  return `${body}.${toBase64Url(new Uint8Array(mark))}`;
}

/** The session of a refresh token that was made here; undefined for anything else. */
export async function readRefreshToken(
  keys: SessionKeys,
  token: string,
): Promise<string | undefined> {
  const [, sessionId, random, mark] = REFRESH_TOKEN.exec(token) ?? [];
  if (sessionId === undefined || mark === undefined) return undefined;
  try {
    const isOurs = await crypto.subtle.verify(
      HMAC,
      keys.refresh,
      Uint8Array.fromBase64(mark, { alphabet: "base64url" }),
      utf8(`${sessionId}.${random}`),
    );
    return isOurs ? sessionId : undefined;
  } catch {
    // The last character may hold bits that no encoder writes.
    return undefined;
  }
}

/** What is stored of a refresh token. Its randomness needs no key and no slowness. */
export async function hashRefreshToken(token: string): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", utf8(token)))
    .toHex();
}

function utf8(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

function toBase64Url(bytes: Uint8Array): string {
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}
