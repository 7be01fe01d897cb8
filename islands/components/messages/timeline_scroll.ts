/**
 * Moves the part of a room that is in the page: as one scrolls, to older and newer messages, and to the
 * first unread one. Fetched when somebody scrolls.
 */

import {
  loadFrom,
  loadNewer,
  loadNewest,
  loadOlder,
} from "../../client/messages/history.ts";
import type { ScrolledTimeline } from "../ui.ts";
import { passFocus } from "../../focus.ts";
import { keepPlace } from "./keep_place.ts";
import { showUnread } from "../../shortcuts.ts";

/** How far the part in the page moves, in messages. */
const STEP = 50;

/** Nearer to the end than this counts as being there, in pixels: rounding, not reading. */
const END_PX = 2;

/** Nearer to the end than this nobody needs a button to get there, in pixels. */
const NEAR_END_PX = 100;

/** More messages are shown when the edge of what is in the page is nearer than this, in pixels. */
const EDGE_PX = 600;

/** The log was scrolled. */
export function scrolled(view: ScrolledTimeline): void {
  const { log, room: { store } } = view;
  if (log === null || view.isMoving) return;
  const [start, end] = view.shown;
  const below = -log.scrollTop;
  const above = log.scrollHeight - log.clientHeight - below;
  const isWithEnd = end === store.messages.length && !store.hasNewer;
  const isAtEnd = isWithEnd && below <= END_PX;
  const isFarFromEnd = !isWithEnd || below > NEAR_END_PX;
  const isMoved = isFarFromEnd !== view.isFarFromEnd;
  view.isFarFromEnd = isFarFromEnd;
  if (isAtEnd !== view.isAtEnd) {
    view.isAtEnd = isAtEnd;
    // From here on what is in the page stands still; at the end it follows again.
    view.showFrom(isAtEnd ? undefined : store.messages[start]?.seq);
    keepPlace(log);
  } else if (above < EDGE_PX && !isAtEnd) showOlder(view);
  else if (below < EDGE_PX && !isWithEnd) showNewer(view);
  else if (isMoved) view.showFrom(view.room.reading);
}

/** Shows older messages, fetched where they are not held. */
export async function showOlder(view: ScrolledTimeline): Promise<void> {
  const { room, ui: { client } } = view;
  const { store } = room;
  if (
    view.shown[0] === 0 && store.hasOlder && !room.isLoading && !room.loadError
  ) {
    view.isAtEnd = false;
    view.showFrom(store.messages[0]?.seq);
    await loadOlder(client.rooms, room);
    if (view.log === null) return;
  }
  const [start] = view.shown;
  if (start > 0) {
    view.isAtEnd = false;
    view.showFrom(store.messages[Math.max(0, start - STEP)]?.seq);
  }
  if (start <= STEP && !store.hasOlder) {
    passFocus(view.log?.querySelector(".older"), view.log);
  }
}

async function showNewer(view: ScrolledTimeline): Promise<void> {
  const { room, ui: { client } } = view;
  const { store } = room;
  if (
    view.shown[1] === store.messages.length && !room.isLoading &&
    !room.loadError
  ) await loadNewer(client.rooms, room);
  if (view.log === null) return;
  const [start, end] = view.shown;
  if (end < store.messages.length) {
    view.showFrom(store.messages[start + STEP]?.seq);
  }
}

/** Shows the newest messages where older ones were held. */
export async function showNewest(view: ScrolledTimeline): Promise<void> {
  await loadNewest(view.ui.client.rooms, view.room);
  if (view.log !== null) view.showFrom(undefined);
}

/** Goes to where reading ended the last time: the line is above the message with this `seq`. */
export async function jumpToUnread(
  view: ScrolledTimeline,
  seq: number,
): Promise<void> {
  await loadFrom(view.ui.client, view.room, seq, () => view.log !== null);
  if (view.log === null || !view.room.store.has(seq)) return;
  view.missed = 0;
  view.isAtEnd = false;
  view.isFarFromEnd = true;
  view.showFrom(seq, () => {
    if (view.log) showUnread(view.log);
  });
}

/** Tries again what failed to load. */
export function loadAgain(view: ScrolledTimeline): void {
  const { room, ui } = view;
  room.loadError = undefined;
  if (!room.isLoaded) ui.client.rooms.open(room);
  else if (view.isAtEnd && room.store.hasNewer) showNewest(view);
  else showOlder(view);
  // The button goes.
  view.log?.focus();
}
