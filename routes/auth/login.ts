/** Signing in with a code: the rules, for the API and for the plain forms alike. */

import type { Config } from "../../config.ts";
import type { Database } from "../../db/engine/database.ts";
import {
  findMailAccount,
  isLoginCodeGood,
  replaceLoginCode,
  tryLoginCode,
} from "../../db/login_codes.ts";
import { findOrCreateUser, findUserByName, type User } from "../../db/users.ts";
import type { Log } from "../../log.ts";
import type { AuthLimits } from "../middleware/auth_limit.ts";
import type { CodeMail, LoginCodeMail } from "./code_mail.ts";
import { createLoginCode, hashLoginCode } from "./login_codes.ts";
import type { SessionKeys } from "./session_keys.ts";
import { startSession, type Tokens } from "./sessions.ts";

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
 * By e-mail it goes to the user's address. Until the first sign-in under the name that is the address
 * given here: the person who can read its mail gets the name. The answer does not say whether a mail was
 * sent, as that would reveal which users exist. Without an address, or over the limit, no mail is sent
 * and an earlier code stays valid.
 *
 * @param request.username in lower case
 * @param request.network of the client, as in {@link clientNetwork}: limits count by it
 */
export async function requestLoginCode(
  deps: LoginDeps,
  request: { username: string; email?: string | undefined; network: string },
): Promise<CodeRequest> {
  const { username, network } = request;
  const retryAfterMs = await deps.authLimits.codes.consume(username, network);
  if (retryAfterMs !== undefined) return tooMany(retryAfterMs);
  const loginCode = createLoginCode();
  const mail = await storeLoginCode(deps, request, loginCode);
  if (deps.config.codeDelivery === "response") return { ok: true, loginCode };
  if (deps.codeMail === undefined) {
    deps.log.info("login code", { username, loginCode });
  } else if (mail !== undefined) {
    // Not waited for: the time of the answer says nothing either.
    deps.codeMail.send(mail);
  }
  return { ok: true };
}

/**
 * Tries a code. An unknown name is refused after the same work as a wrong code, so that answers do not
 * reveal which users exist. Wrong codes count against the code and against the client's network.
 *
 * @param attempt.username in lower case
 * @param attempt.network of the client, as in {@link clientNetwork}
 * @param attempt.userAgent the request's header, for the user's list of sessions
 */
export async function verifyLoginCode(
  deps: LoginDeps,
  attempt: {
    username: string;
    loginCode: string;
    network: string;
    userAgent: string | undefined;
  },
): Promise<Verification> {
  const { username, loginCode, network, userAgent } = attempt;
  const { wrongCodes } = deps.authLimits;
  // Counted before the try and taken back after a right one: guesses sent at once all count.
  const retryAfterMs = await wrongCodes.consume(network);
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
  wrongCodes.refund(network);
  const tokens = await startSession(deps, user, userAgent);
  if (tokens === undefined) return { ok: false, code: "invalid_code" };
  return { ok: true, user, tokens };
}

/**
 * Stores a new code of the user of this name, made when missing.
 *
 * @returns the mail that brings it; undefined when it is not to be mailed
 */
async function storeLoginCode(
  deps: LoginDeps,
  request: { username: string; email?: string | undefined; network: string },
  loginCode: string,
): Promise<LoginCodeMail | undefined> {
  const { db, keys, clock, codeMail } = deps;
  const { username } = request;
  const now = new Date(clock());
  for (;;) {
    const newUser = { id: crypto.randomUUID(), username };
    const { id: userId } = await findOrCreateUser(db, newUser, now);
    const isMailed = codeMail !== undefined &&
      await mayMail(deps, userId, request);
    const codeHash = await hashLoginCode(keys, userId, loginCode);
    const address = await replaceLoginCode(db, {
      userId,
      email: isMailed ? request.email : undefined,
      codeHash,
      isSent: isMailed || codeMail === undefined,
      expiresAt: new Date(now.getTime() + CODE_LIFE_MS),
      now,
    });
    // The account was deleted between the two statements: the name belongs to a new user now.
    if (address === undefined) continue;
    const to = address.own ?? address.claimed;
    if (!isMailed || to === null) return undefined;
    const isWanted = () =>
      isLoginCodeGood(db, { userId, codeHash, now: new Date(clock()) });
    return { to, username, loginCode, isWanted };
  }
}

/** Whether a code of the user may be mailed; counts it. */
async function mayMail(
  { db, authLimits, log }: LoginDeps,
  userId: string,
  request: { username: string; email?: string | undefined; network: string },
): Promise<boolean> {
  const { username, email, network } = request;
  const { own, isClaimed } = await findMailAccount(db, userId);
  const to = own ?? (isClaimed ? undefined : email);
  if (to === undefined) {
    log.info("a login code has no address to go to", { username });
    return false;
  }
  const retryAfterMs = own === undefined
    ? await authLimits.claimMails.consume(mailboxOf(to), network)
    : await authLimits.ownMails.consume(own.toLowerCase(), network);
  if (retryAfterMs === undefined) return true;
  log.warn("an address gets no more login codes for now", { username });
  return false;
}

/** An address as it is counted: in lower case, without the tag that leads to the same mailbox. */
function mailboxOf(email: string): string {
  return email.toLowerCase().replace(/\+[^@]*(?=@)/, "");
}

function tooMany(retryAfterMs: number): TooMany {
  return { ok: false, code: "too_many_requests", retryAfterMs };
}
