/**
 * The realtime protocol `chatket.v1`: the list of its features, and the types of everything that is
 * sent. The browser imports types only from here; its constants are in `limits.ts`, `handshake.ts`,
 * `close_codes.ts` and `refusals.ts`, which hold no schemas.
 */

import type { z } from "zod";
import { changes } from "./changes.ts";
import { connection } from "./connection.ts";
import type { Refusal } from "./envelope.ts";
import { messages } from "./messages.ts";
import { pins } from "./pins.ts";
import { presence } from "./presence.ts";
import { reactions } from "./reactions.ts";
import { readMarkers } from "./read_markers.ts";
import { rooms } from "./rooms.ts";
import { typing } from "./typing.ts";

export type { Refusal } from "./envelope.ts";
export type { RoomChanges } from "./changes.ts";
export type {
  Message,
  MessagePage,
  MessageWindow,
  Quote,
  Reaction,
} from "./messages.ts";
export type { RoomRoster, RosterUser } from "./presence.ts";
export type { RefusalCode } from "./refusals.ts";
export type { Room, RoomPosition, RoomSystem, SyncResult } from "./rooms.ts";
export type { UserRef } from "./shapes.ts";

/** Every feature with events. A new one is added here and in `realtime/handlers.ts`. */
export const FEATURES = [
  rooms,
  readMarkers,
  messages,
  reactions,
  pins,
  changes,
  typing,
  presence,
  connection,
] as const;

type AnyFeature = typeof FEATURES[number];

type Intersection<Union> =
  (Union extends unknown ? (each: Union) => void : never) extends
    (all: infer All) => void ? All : never;

/** The definition of each client event. */
export const CLIENT_EVENTS: Intersection<AnyFeature["client"]> = Object.assign(
  {},
  ...FEATURES.map(({ client }) => client),
);

/** The definition of each server event. */
export const SERVER_EVENTS: Intersection<AnyFeature["server"]> = Object.assign(
  {},
  ...FEATURES.map(({ server }) => server),
);

export type ClientEventName = keyof typeof CLIENT_EVENTS;

/** What a client may send: the data of each event. */
export type ClientEvents = {
  [E in ClientEventName]: z.infer<typeof CLIENT_EVENTS[E]["data"]>;
};

/** What a successful ack carries beside `success: true`. */
export type ClientAcks = {
  [E in ClientEventName]: z.infer<typeof CLIENT_EVENTS[E]["ack"]>;
};

/** One client frame. `id` asks for an ack. */
export type ClientEnvelope = {
  [E in ClientEventName]: {
    id?: number | undefined;
    event: E;
    data: ClientEvents[E];
  };
}[ClientEventName];

export type AckData<E extends ClientEventName> =
  | ({ success: true } & Fields<ClientAcks[E]>)
  | Refusal;

/** A schema without fields has the type of an object that may have none: nothing to add to another. */
type Fields<T> = string extends keyof T ? unknown : T;

export type ServerEventName = keyof typeof SERVER_EVENTS;

/** What a server may send: the data of each event. */
export type ServerEvents = {
  [E in ServerEventName]: z.infer<typeof SERVER_EVENTS[E]["data"]>;
};

export type ServerEvent = {
  [E in ServerEventName]: { event: E; data: ServerEvents[E] };
}[ServerEventName];

/** One server envelope: an event or an ack. A frame holds one, or an array of them. */
export type ServerEnvelope =
  | ServerEvent
  | { ack: number; data: { success: boolean; [key: string]: unknown } };
