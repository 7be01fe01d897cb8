/** Signing in with a code: the rules, for the API and for the plain forms alike. */

import type { Config } from "../config.ts";
import type { Database } from "../db/database.ts";
import { replaceLoginCode, tryLoginCode } from "../db/login_codes.ts";
import {
  claimName,
  findMailAccount,
  findOrCreateUser,
  findUserByName,
  type User,
} from "../db/users.ts";
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
  const now = deps.clock();
  const user = await findOrCreateUser(
    deps.db,
    { id: crypto.randomUUID(), username },
    new Date(now),
  );
  const loginCode = createLoginCode();
  const account = deps.codeMail && await findMailAccount(deps.db, user.id);
  const claim = account?.isClaimed === false ? email : undefined;
  await replaceLoginCode(deps.db, {
    userId: user.id,
    email: claim,
    codeHash: await hashLoginCode(deps.keys, user.id, loginCode),
    expiresAt: new Date(now + CODE_LIFE_MS),
    now: new Date(now),
  });
  if (deps.config.codeDelivery === "response") return { ok: true, loginCode };
  if (deps.codeMail !== undefined) {
    // Not waited for: the time of the answer says nothing either.
    void mailCode(deps, account?.email ?? claim, { username, loginCode });
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
  const user = await findUserByName(deps.db, username);
  const userId = user?.id ?? crypto.randomUUID();
  const used = await tryLoginCode(deps.db, {
    userId,
    codeHash: await hashLoginCode(deps.keys, userId, loginCode),
    now: new Date(now),
  });
  if (user === undefined || used === undefined) {
    return { ok: false, code: "invalid_code" };
  }
  wrongCodes.refund(username);
  await claimName(deps.db, {
    userId: user.id,
    email: used.email,
    now: new Date(now),
  });
  return { ok: true, user, tokens: await startSession(deps, user, userAgent) };
}

async function mailCode(
  { codeMail, authLimits, log }: LoginDeps,
  to: string | undefined,
  code: { username: string; loginCode: string },
): Promise<void> {
  const { username } = code;
  if (to === undefined) {
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
