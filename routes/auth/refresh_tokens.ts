/** Makes and reads refresh tokens. Their rules: `sessions.ts`. */

import { HMAC, type SessionKeys } from "./session_keys.ts";

/** Random bytes of a refresh token. */
const REFRESH_BYTES = 32;

/** The shape of a refresh token: session, random part, mark. */
const REFRESH_TOKEN =
  /^([\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})\.([\w-]{43})\.([\w-]{43})$/;

/**
 * A refresh token of a session. It carries a signature of ours, which tells a token that was already
 * used from an invented one: only the former ends the session.
 */
export async function createRefreshToken(
  keys: SessionKeys,
  sessionId: string,
): Promise<string> {
  const random = crypto.getRandomValues(new Uint8Array(REFRESH_BYTES));
  return await markRefreshToken(keys, sessionId, random);
}

/**
 * The successor of a refresh token, always the same: a client that sends a token twice gets the same
 * successor from any process, although no process stores it. Deriving it takes the key.
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
