/** Who may do what in a room: the only place that decides it, for REST, sockets and pages. */

/** What a user is to a room, as the database has it. */
export interface Standing {
  readonly roomExists: boolean;
  readonly isMember: boolean;
  /** Whether the user keeps order in the room: its creator does. */
  readonly isModerator?: boolean;
}

export type Action =
  | "join"
  | "leave"
  | "mark_read"
  | "post"
  | "read"
  | "subscribe"
  | "edit"
  | "delete"
  | "react"
  | "pin"
  | "read_edits";

/** Why an action is refused; each is a problem of the API and a refusal of the protocol. */
export type Denial = "not_a_member" | "room_not_found" | "forbidden";

/** What is open to everybody who is signed in: all other actions are for members. */
const OPEN: ReadonlySet<Action> = new Set(["join"]);

/** Of the members, who may do what not everyone may. */
const RESERVED: Partial<Record<Action, readonly ("author" | "moderator")[]>> = {
  edit: ["author"],
  delete: ["author", "moderator"],
  pin: ["moderator"],
  read_edits: ["author", "moderator"],
};

/**
 * Whether a user may do something in a room: why not, or undefined when they may.
 *
 * @param isAuthor whether the user has written the message that the action is about
 */
export function denialOf(
  action: Action,
  { roomExists, isMember, isModerator = false }: Standing,
  isAuthor = false,
): Denial | undefined {
  if (!isMember) {
    return roomExists && OPEN.has(action)
      ? undefined
      : outsiderDenial(roomExists);
  }
  const reserved = RESERVED[action];
  const isAllowed = reserved === undefined ||
    (isAuthor && reserved.includes("author")) ||
    (isModerator && reserved.includes("moderator"));
  return isAllowed ? undefined : "forbidden";
}

/** Why a user who is not a member is refused. */
export function outsiderDenial(
  roomExists: boolean,
): "not_a_member" | "room_not_found" {
  return roomExists ? "not_a_member" : "room_not_found";
}
