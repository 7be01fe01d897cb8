import type { UserRef } from "../protocol/protocol.ts";

/** Whom a request or a connection belongs to, by its token. */
export interface Session {
  readonly user: UserRef;
  /**
   * The session the token belongs to: its end closes the connection. Undefined with a token that another
   * program has signed.
   */
  readonly sessionId?: string | undefined;
  /** When the token was made, in milliseconds since 1970: without a session that says what ends it. */
  readonly issuedAt: number;
  /** When the token ends, in milliseconds since 1970. */
  readonly expiresAt: number;
}
