/** Signs and verifies session tokens; makes and hashes login codes. Knows neither requests nor cookies. */

import { jwtVerify, SignJWT } from "jose";
import { z } from "zod";

/** The one algorithm that is signed and accepted. */
const ALGORITHM = "HS256";

/** Latest `exp` that a JavaScript date can hold, in seconds since 1970. */
const MAX_EXPIRY_SECONDS = 8_640_000_000_000;

/** Keys made of the one secret: each purpose has its own. */
export interface SessionKeys {
  /** Signs session tokens: the secret's own bytes, so that other HS256 tools agree. */
  readonly token: CryptoKey;
  /** Hashes login codes. */
  readonly code: CryptoKey;
}

/** By how much the clock of a host that issues tokens may be ahead of ours. */
const CLOCK_SKEW_SECONDS = 5;

/** What a valid token says. */
export interface TokenClaims {
  readonly userId: string;
  readonly username: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

const Claims = z.object({
  sub: z.uuid(),
  username: z.string(),
  exp: z.int().positive().max(MAX_EXPIRY_SECONDS),
});

const HMAC = { name: "HMAC", hash: "SHA-256" } as const;

/** @param secret at least one character; its length is the settings' concern */
export async function createSessionKeys(secret: string): Promise<SessionKeys> {
  const bytes = new TextEncoder().encode(secret);
  const root = await crypto.subtle.importKey("raw", bytes, "HKDF", false, [
    "deriveKey",
  ]);
  return {
    token: await crypto.subtle.importKey("raw", bytes, HMAC, false, [
      "sign",
      "verify",
    ]),
    code: await crypto.subtle.deriveKey(
      {
        name: "HKDF",
        hash: "SHA-256",
        salt: new Uint8Array(),
        info: new TextEncoder().encode("chatket login codes"),
      },
      root,
      { ...HMAC, length: 256 },
      false,
      ["sign"],
    ),
  };
}

/**
 * A session token `{ sub, username, iat, exp }`.
 *
 * @param options.now milliseconds since 1970
 */
export async function signSession(
  keys: SessionKeys,
  user: { id: string; username: string },
  options: { now: number; expiresInSeconds: number },
): Promise<string> {
  const issuedAt = Math.floor(options.now / 1000);
  return await new SignJWT({ username: user.username })
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
      requiredClaims: ["exp", "sub"],
      currentDate: new Date(now),
      clockTolerance: CLOCK_SKEW_SECONDS,
    });
    const claims = Claims.safeParse(payload);
    // The tolerance is for `nbf`. A token that has expired is refused to the second: its socket would
    // be closed as soon as it opened.
    if (!claims.success || claims.data.exp * 1000 <= now) return undefined;
    return {
      userId: claims.data.sub,
      username: claims.data.username,
      expiresAt: claims.data.exp * 1000,
    };
  } catch {
    // jose throws for every kind of bad token; its messages are of no use to the one who sent it.
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
