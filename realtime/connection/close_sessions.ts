/** Which connections end with a session, a token or an account. They are closed with 4401. */

import { CloseCode } from "../protocol/close_codes.ts";
import type { Connection } from "./connection.ts";
import type { ConnectionRegistry } from "./registry.ts";

/** Closes the connections of sessions that have ended. */
export function closeSessions(
  connections: ConnectionRegistry,
  sessionIds: ReadonlySet<string>,
): void {
  closeWhere(
    connections.all(),
    ({ sessionId }) => sessionId !== undefined && sessionIds.has(sessionId),
  );
}

/** Closes a user's connections: those of some sessions, or all. */
export function closeUser(
  connections: ConnectionRegistry,
  userId: string,
  sessionIds?: readonly string[],
): void {
  closeWhere(
    connections.of(userId),
    ({ sessionId }) =>
      sessionIds === undefined ||
      (sessionId !== undefined && sessionIds.includes(sessionId)),
  );
}

/** Users with a connection whose token belongs to no session. */
export function usersWithoutSession(
  connections: ConnectionRegistry,
): Set<string> {
  const users = new Set<string>();
  for (const { user, sessionId } of connections.all()) {
    if (sessionId === undefined) users.add(user.id);
  }
  return users;
}

/** Closes a user's connections whose token belongs to no session and was made before this moment. */
export function closeTokensBefore(
  connections: ConnectionRegistry,
  userId: string,
  moment: Date,
): void {
  closeWhere(
    connections.of(userId),
    ({ sessionId, issuedAt }) =>
      sessionId === undefined && issuedAt < moment.getTime(),
  );
}

/**
 * Closes the connections whose token has expired.
 *
 * @param now the time of day, in milliseconds since 1970
 */
export function closeExpired(
  connections: ConnectionRegistry,
  now: number,
): void {
  closeWhere(
    connections.all(),
    ({ expiresAt }) => expiresAt <= now,
    "token expired",
  );
}

function closeWhere(
  connections: Iterable<Connection>,
  isEnded: (connection: Connection) => boolean,
  reason = "signed out",
): void {
  // A copy: closing a connection takes it out of the registry.
  for (const connection of [...connections]) {
    if (isEnded(connection)) connection.close(CloseCode.tokenExpired, reason);
  }
}
