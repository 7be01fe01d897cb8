/** Names of what is stored in a browser, and whose it is. */

/** Id of the user for whom this browser drew a page last. */
export const DEVICE_USER_KEY = "chatket_user";

/** What is stored under a user's id: the id comes next, then a colon. */
export const DRAFT_PREFIX = "chatket_draft:";
export const OUTBOX_PREFIX = "chatket_outbox:";
