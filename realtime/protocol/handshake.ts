/** Names by which a client is known before the first frame. Constants only: the browser bundles them. */

/** The WebSocket subprotocol a client offers and the server chooses. */
export const SUBPROTOCOL = "chatket.v1";

/** A second subprotocol entry with this prefix carries the access token of a non-browser client. */
export const BEARER_PREFIX = "bearer.";

/**
 * A further subprotocol entry with this prefix names the user for whom a page was drawn. The socket
 * is closed with `CloseCode.otherUser` when the session is another user's.
 */
export const USER_PREFIX = "user.";

/**
 * Header with the id of the user for whom a page was drawn. In a request: it is answered 412 when its
 * session is another user's. In a page's answer: whose page it is.
 */
export const USER_HEADER = "x-chatket-user";
