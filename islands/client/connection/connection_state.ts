/**
 * What the connection is doing, as a value, and how it changes: a pure function, so that every path
 * can be tested without a socket or a timer.
 */

import {
  CloseCode,
  mayReconnect,
} from "../../../realtime/protocol/close_codes.ts";

/** Shortest wait before another attempt, in milliseconds. */
export const MIN_DELAY_MS = 1_000;

/** Longest wait before another attempt, in milliseconds. */
export const MAX_DELAY_MS = 5_000;

/** After so many attempts in a row without success the user is asked. */
export const MAX_RETRIES = 10;

/** Why nothing is tried any more until the user (or, after `gaveUp`, the network) asks for it. Keys of the texts, too. */
export type StopReason =
  | "gaveUp"
  | "signedOut"
  | "removed"
  | "otherUser"
  | "closed";

/** Why, by the code of a close that allows no other attempt. */
const STOP_REASONS: Record<number, StopReason> = {
  [CloseCode.tokenExpired]: "signedOut",
  [CloseCode.otherUser]: "otherUser",
};

interface Counters {
  /** Number of the current attempt; what an older one reports is ignored. */
  readonly attempt: number;
  /** Retries since the server last accepted us. */
  readonly retries: number;
}

export type ConnectionState =
  & Counters
  & (
    | { readonly phase: "idle" | "connecting" | "syncing" | "live" }
    | { readonly phase: "waiting"; readonly retryAt: number }
    | { readonly phase: "stopped"; readonly why: StopReason }
  );

export type ConnectionEvent =
  | { readonly type: "start" | "wake" | "retry" }
  | { readonly type: "opened" | "synced"; readonly attempt: number }
  | {
    readonly type: "lost";
    readonly attempt: number;
    readonly code: number;
    readonly now: number;
    /** In [0, 1): where in the range the delay falls. */
    readonly random: number;
  }
  | { readonly type: "stop"; readonly why: StopReason };

export const INITIAL_STATE: ConnectionState = {
  phase: "idle",
  attempt: 0,
  retries: 0,
};

/** The state after an event; the same object when the event means nothing in this state. */
export function reduce(
  state: ConnectionState,
  event: ConnectionEvent,
): ConnectionState {
  const { phase, attempt, retries } = state;
  switch (event.type) {
    case "start":
      return phase === "idle" || phase === "stopped"
        ? connecting(attempt, 0)
        : state;
    case "wake":
      if (phase === "waiting") return connecting(attempt, retries);
      return phase === "stopped" && state.why === "gaveUp"
        ? connecting(attempt, 0)
        : state;
    case "retry":
      return phase === "waiting" ? connecting(attempt, retries) : state;
    case "opened":
      return phase === "connecting" && event.attempt === attempt
        ? { phase: "syncing", attempt, retries }
        : state;
    case "synced":
      return phase === "syncing" && event.attempt === attempt
        ? { phase: "live", attempt, retries: 0 }
        : state;
    case "lost":
      return isOnLine(state) && event.attempt === attempt
        ? lost(state, event)
        : state;
    case "stop":
      return { phase: "stopped", attempt, retries, why: event.why };
  }
}

/** Milliseconds to wait before retry number `retry` (1, 2, 3 …): full jitter under a growing ceiling. */
export function retryDelay(retry: number, random: number): number {
  const ceiling = Math.min(MAX_DELAY_MS, MIN_DELAY_MS * 2 ** retry);
  return MIN_DELAY_MS + random * (ceiling - MIN_DELAY_MS);
}

/** Whether there is a line, open or opening, that can be lost. */
export function isOnLine({ phase }: ConnectionState): boolean {
  return phase === "connecting" || phase === "syncing" || phase === "live";
}

function connecting(attempt: number, retries: number): ConnectionState {
  return { phase: "connecting", attempt: attempt + 1, retries };
}

function lost(
  { attempt, retries }: ConnectionState,
  event: ConnectionEvent & { type: "lost" },
): ConnectionState {
  if (!mayReconnect(event.code)) {
    const why = STOP_REASONS[event.code] ?? "removed";
    return { phase: "stopped", attempt, retries, why };
  }
  if (retries >= MAX_RETRIES) {
    return { phase: "stopped", attempt, retries, why: "gaveUp" };
  }
  const retry = retries + 1;
  const retryAt = event.now + retryDelay(retry, event.random);
  return { phase: "waiting", attempt, retries: retry, retryAt };
}
