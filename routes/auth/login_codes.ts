/** Makes login codes, and what is stored of them. */

import type { SessionKeys } from "./session_keys.ts";

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
