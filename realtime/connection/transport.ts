import type { CloseCode } from "../protocol/close_codes.ts";

/** What a connection needs of the wire under it. */
export interface Transport {
  /** Hands text to the runtime. Does nothing once closed. */
  send(text: string): void;
  /** Bytes handed over that the runtime still holds because the peer has not taken them. */
  buffered(): number;
  /**
   * Whether the peer is known to live though it sends nothing: the wire asks it and would have ended by
   * now without an answer. False when the wire cannot tell.
   */
  isAnswering(): boolean;
  /** Says goodbye with a code and ends. Further calls do nothing. */
  close(code: CloseCode, reason: string): void;
}

/** Events of the wire, for the connection above it. */
export interface TransportEvents {
  /** A frame of text has come in. */
  onText(text: string): void;
  /** A frame that is not text has come in. */
  onBinary(): void;
  /** The wire is gone; may come more than once. */
  onClosed(): void;
}
