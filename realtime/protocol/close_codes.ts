/** Why the server closes a connection. Constants only: the browser bundles them. */

export const CloseCode = {
  unsupportedData: 1003,
  tooBig: 1009,
  restart: 1012,
  tokenExpired: 4401,
  removed: 4403,
  tooSlow: 4408,
  otherUser: 4412,
  tooManyFrames: 4429,
} as const;

export type CloseCode = typeof CloseCode[keyof typeof CloseCode];

/** Codes after which a client would be refused again. */
const FINAL: ReadonlySet<number> = new Set([
  CloseCode.tokenExpired,
  CloseCode.removed,
  CloseCode.otherUser,
]);

/** Whether a client should connect again after this close code. */
export function mayReconnect(code: number): boolean {
  return !FINAL.has(code);
}

/** When each code is used, for the documentation. */
export const CLOSE_CODE_MEANINGS: Readonly<Record<CloseCode, string>> = {
  1003: "a binary frame",
  1009: "a frame that is too large",
  1012: "the server restarts",
  4401: "the token expired or its session ended: sign in",
  4403: "the user was removed",
  4408: "the client read too slowly: sync after reconnecting",
  4412:
    "the session belongs to another user than the subprotocol entry `user.<id>` names",
  4429: "too many frames or connections",
};
