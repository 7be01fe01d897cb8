import { useEffect, useRef, useState } from "preact/hooks";
import type { RoomState } from "../../client/rooms/room_state.ts";
import type { Ui } from "../ui.ts";

/** What arrives within this time is read out together, in milliseconds. */
const GATHER_MS = 1_000;

/** More messages than these are only counted. */
const MAX_READ = 3;

/**
 * Reads out to screen readers what others write while a room is open: not history, not one's own
 * messages, and a burst as one number.
 */
export function Announcer(
  { ui: { client, t }, room, from }: {
    ui: Ui;
    room: RoomState;
    /** `seq` of the newest message that was there when the room was opened. */
    from: number;
  },
) {
  const heard = useRef(from);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const [{ text, count }, setText] = useState({ text: "", count: 0 });
  const { position } = room.store;
  const read = () => {
    timer.current = undefined;
    const fresh = room.store.messages.filter(({ seq, sender, deletedAt }) =>
      seq > heard.current && sender.id !== client.user.id && !deletedAt
    );
    heard.current = room.store.position;
    if (fresh.length === 0) return;
    const text = fresh.length > MAX_READ
      ? t("newBelow", { n: fresh.length })
      : fresh.map(({ sender, text }) => `${sender.username}: ${text}`)
        .join("\n");
    setText(({ count }) => ({ text, count: count + 1 }));
  };
  useEffect(() => {
    if (position > heard.current) timer.current ??= setTimeout(read, GATHER_MS);
  }, [position]);
  useEffect(() => () => clearTimeout(timer.current), []);
  return (
    <div class="visually-hidden" aria-live="polite">
      {/* Under a new key: the same words again are read again. */}
      {text && <p key={count}>{text}</p>}
    </div>
  );
}
