/** The keys of sessions and sign-in. */

import { createSecretKey, type KeyObject } from "node:crypto";

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

export const HMAC = { name: "HMAC", hash: "SHA-256" } as const;

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
