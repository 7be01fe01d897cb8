/** Who may do what in a room: the only place that decides it, for REST, sockets and pages. */

/** What a user is to a room, as the database has it. */
export interface Standing {
  readonly roomExists: boolean;
  readonly isMember: boolean;
}

export type Action =
  | "join"
  | "leave"
  | "mark_read"
  | "post"
  | "read"
  | "subscribe";

/** Why an action is refused; each is a problem of the API and a refusal of the protocol. */
export type Denial = "not_a_member" | "room_not_found";

/** What is open to everybody who is signed in: all other actions are for members. */
const OPEN: ReadonlySet<Action> = new Set(["join"]);

/** Whether a user may do something in a room: why not, or undefined when they may. */
export function denialOf(
  action: Action,
  { roomExists, isMember }: Standing,
): Denial | undefined {
  const isAllowed = isMember || (roomExists && OPEN.has(action));
  return isAllowed ? undefined : outsiderDenial(roomExists);
}

/** Why a user who is not a member is refused. */
export function outsiderDenial(roomExists: boolean): Denial {
  return roomExists ? "not_a_member" : "room_not_found";
}
