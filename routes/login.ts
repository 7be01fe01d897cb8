/** Signing in with a code: the rules, for the API and for the plain forms alike. */

import type { Config } from "../config.ts";
import type { Database } from "../db/database.ts";
import {
  type CodeAddress,
  replaceLoginCode,
  tryLoginCode,
} from "../db/login_codes.ts";
import { findOrCreateUser, findUserByName, type User } from "../db/users.ts";
import type { Log } from "../log.ts";
import type { CodeMail } from "./code_mail.ts";
import type { AuthLimits } from "./middleware/auth_limit.ts";
import { startSession, type Tokens } from "./sessions.ts";
import { createLoginCode, hashLoginCode, type SessionKeys } from "./tokens.ts";

/** How long a code lives, in milliseconds. */
export const CODE_LIFE_MS = 10 * 60_000;

export interface LoginDeps {
  readonly config: Pick<Config, "codeDelivery" | "jwtExpiresInSeconds">;
  readonly db: Database;
  readonly log: Log;
  readonly clock: () => number;
  readonly keys: SessionKeys;
  readonly authLimits: AuthLimits;
  /** There when codes are delivered by e-mail. */
  readonly codeMail: CodeMail | undefined;
}

export interface TooMany {
  readonly ok: false;
  readonly code: "too_many_requests";
  readonly retryAfterMs: number;
}

/** `loginCode` is there only when it is delivered in the answer. */
export type CodeRequest = { ok: true; loginCode?: string } | TooMany;

export type Verification =
  | { ok: true; user: User; tokens: Tokens }
  | { ok: false; code: "invalid_code" }
  | TooMany;

/**
 * Makes a new code for a user, made when missing, and voids the one before.
 *
 * By e-mail it goes to the user's address. While nobody has signed in under the name that is the one
 * given here: who proves it gets the name. A code without an address goes nowhere, and the answer
 * says nothing of it: it would tell who exists.
 *
 * @param username in lower case
 */
export async function requestLoginCode(
  deps: LoginDeps,
  username: string,
  email?: string,
): Promise<CodeRequest> {
  const retryAfterMs = await deps.authLimits.codeRequests.consume(username);
  if (retryAfterMs !== undefined) return tooMany(retryAfterMs);
  const loginCode = createLoginCode();
  const address = await storeLoginCode(deps, username, loginCode, email);
  if (deps.config.codeDelivery === "response") return { ok: true, loginCode };
  if (deps.codeMail !== undefined) {
    // Not waited for: the time of the answer says nothing either.
    void mailCode(deps, address, { username, loginCode });
    return { ok: true };
  }
  deps.log.info("login code", { username, loginCode });
  return { ok: true };
}

/**
 * Tries a code. A name that nobody has is refused after the same work as a wrong code, and locked
 * like any other, so that answers do not tell who exists.
 *
 * @param username in lower case
 * @param userAgent the request's header, for the user's list of sessions
 */
export async function verifyLoginCode(
  deps: LoginDeps,
  username: string,
  loginCode: string,
  userAgent: string | undefined,
): Promise<Verification> {
  const { wrongCodes } = deps.authLimits;
  // Counted before the try and taken back after a right one: guesses sent at once all count.
  const retryAfterMs = await wrongCodes.consume(username);
  if (retryAfterMs !== undefined) return tooMany(retryAfterMs);
  const now = deps.clock();
  const known = await findUserByName(deps.db, username);
  const userId = known?.id ?? crypto.randomUUID();
  const user = await tryLoginCode(deps.db, {
    userId,
    codeHash: await hashLoginCode(deps.keys, userId, loginCode),
    now: new Date(now),
  });
  if (user === undefined) return { ok: false, code: "invalid_code" };
  wrongCodes.refund(username);
  const tokens = await startSession(deps, user, userAgent);
  if (tokens === undefined) return { ok: false, code: "invalid_code" };
  return { ok: true, user, tokens };
}

/** Stores a new code of the user of this name, made when missing, and says where it goes. */
async function storeLoginCode(
  { db, keys, clock, codeMail }: LoginDeps,
  username: string,
  loginCode: string,
  email: string | undefined,
): Promise<CodeAddress> {
  const now = new Date(clock());
  for (;;) {
    const newUser = { id: crypto.randomUUID(), username };
    const { id: userId } = await findOrCreateUser(db, newUser, now);
    const address = await replaceLoginCode(db, {
      userId,
      email: codeMail && email,
      codeHash: await hashLoginCode(keys, userId, loginCode),
      expiresAt: new Date(now.getTime() + CODE_LIFE_MS),
      now,
    });
    if (address !== undefined) return address;
    // The account was deleted between the two statements: the name belongs to a new user now.
  }
}

async function mailCode(
  { codeMail, authLimits, log }: LoginDeps,
  address: CodeAddress,
  code: { username: string; loginCode: string },
): Promise<void> {
  const { username } = code;
  const to = address.own ?? address.claimed;
  if (to === null) {
    return log.info("a login code has no address to go to", { username });
  }
  if (await authLimits.codeMails.consume(to.toLowerCase()) !== undefined) {
    return log.warn("an address gets no more login codes for now", {
      username,
    });
  }
  codeMail?.send({ to, ...code });
}

function tooMany(retryAfterMs: number): TooMany {
  return { ok: false, code: "too_many_requests", retryAfterMs };
}
