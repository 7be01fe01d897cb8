/** How a post ended, the same from the writer up to the ack. Times are ISO 8601. */

export interface Stored {
  kind: "stored";
  messageId: string;
  seq: number;
  createdAt: string;
  /** Stored before, under the same client id. */
  isDuplicate: boolean;
}

export interface Muted {
  kind: "muted";
  mutedUntil: string;
  /** Whether this post began the mute. */
  isNew: boolean;
}

export interface Refused {
  kind: "refused";
  code:
    | "bad_request"
    | "not_a_member"
    | "room_not_found"
    | "forbidden"
    | "unavailable"
    | "internal";
  /** What the author reads in place of the code's own text. */
  error?: string;
}

export type PostResult = Stored | Muted | Refused;
