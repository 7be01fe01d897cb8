/** Signs and verifies access tokens. Knows neither requests nor cookies. */

import { jwtVerify, SignJWT } from "jose";
import { createHmac, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import type { SessionKeys } from "./session_keys.ts";

/** The one algorithm that is signed and accepted. */
const ALGORITHM = "HS256";

/** Latest `exp` that a JavaScript date can hold, in seconds since 1970. */
const MAX_EXPIRY_SECONDS = 8_640_000_000_000;

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
 * The claims of a token with our signature that has not expired; undefined for any other. Weaker than
 * {@link verifySession} but synchronous: for code that must not wait before the full check.
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
  // First, so that nothing without our signature is parsed.
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
  const encoder = new TextEncoder();
  const [a, b] = [encoder.encode(given), encoder.encode(expected)];
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
