import { useEffect, useRef, useState } from "preact/hooks";
import { findRoom, type Room } from "../../client/api.ts";
import { findRooms, moreRooms } from "../../client/rooms/all_rooms.ts";
import { joinRoom } from "../../client/membership/membership.ts";
import { Avatar } from "../avatar.tsx";
import type { Strings } from "../../strings/en.ts";
import { passFocus } from "../../focus.ts";
import { BackLink } from "../back_link.tsx";
import type { Ui } from "../ui.ts";

/** Rooms that the server lists at once. */
const PAGE = 100;

/** A search runs when the keys rest for this long, in milliseconds. */
const SEARCH_DELAY_MS = 200;

/** Every room there is, to search and to join. */
export function Lobby(
  { ui, found, query, heading: Heading }: {
    ui: Ui;
    found: Room[] | undefined;
    query: string;
    /** On the start page the name of the program is the first heading. */
    heading: "h1" | "h2";
  },
) {
  const { client, t } = ui;
  const [name, setName] = useState(query);
  const [rooms, setRooms] = useState(found);
  /** The query of the next page, as far as known: the page itself came without. */
  const [next, setNext] = useState<string>();
  const [hasMore, setMore] = useState(found?.length === PAGE);
  useEffect(() => {
    // The page brought the answer to the search it was made with.
    if (rooms !== undefined && name === query && rooms === found) return;
    let isCurrent = true;
    const timer = setTimeout(async () => {
      const result = await findRooms(client.api, name.trim());
      if (!isCurrent || !result.ok) return;
      setRooms(result.data);
      setNext(result.next);
      setMore(result.next !== undefined);
    }, rooms === undefined ? 0 : SEARCH_DELAY_MS);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [name]);
  const list = useRef<HTMLUListElement>(null);
  const drawn = useRef({ name, rooms });
  drawn.current = { name, rooms };
  const showMore = async (button: HTMLButtonElement) => {
    // The first page is read anew to learn where the next one begins; rooms may have moved up since.
    const first = next === undefined
      ? await findRooms(client.api, name.trim())
      : undefined;
    const from = first?.ok ? first.next : next;
    const result = from === undefined
      ? first
      : await moreRooms(client.api, from);
    if (!result?.ok) return;
    // Another search, or another press of the button, has changed the list meanwhile.
    if (drawn.current.name !== name || drawn.current.rooms !== rooms) return;
    const known = new Set(rooms?.map(({ id }) => id));
    const read = [...first?.ok ? first.data : [], ...result.data];
    const added = new Map(read.map((room) => [room.id, room]));
    setRooms([
      ...rooms ?? [],
      ...[...added.values()].filter(({ id }) => !known.has(id)),
    ]);
    setNext(result.next);
    setMore(result.next !== undefined);
    // The new rooms come after the one that was the last.
    const last = list.current?.lastElementChild;
    if (result.next === undefined) {
      passFocus(button, last?.querySelector<HTMLElement>("a, button"));
    }
  };
  return (
    <section class="main lobby">
      <header class="lobby-header">
        <BackLink ui={ui} />
        <Heading>{t("discover")}</Heading>
        <p>{t("discoverLead")}</p>
      </header>
      <form
        class="search"
        role="search"
        action="/discover"
        onSubmit={(event) => event.preventDefault()}
      >
        <label class="visually-hidden" for="find-room">{t("findRoom")}</label>
        <input
          id="find-room"
          type="search"
          name="q"
          placeholder={t("findRoom")}
          autocomplete="off"
          value={name}
          onInput={(event) => setName(event.currentTarget.value)}
        />
        <noscript>
          <button type="submit">{t("search")}</button>
        </noscript>
      </form>
      {rooms?.length === 0 && <NoRooms ui={ui} name={name.trim()} />}
      <ul class="found" ref={list}>
        {rooms?.map((room) => <FoundRoom ui={ui} key={room.id} room={room} />)}
      </ul>
      {hasMore && (
        <button
          type="button"
          class="quiet more-rooms"
          onClick={({ currentTarget }) => showMore(currentTarget)}
        >
          {t("showMore")}
        </button>
      )}
    </section>
  );
}

/** Nothing is found, or nothing is there: the way to the form for a new room. */
function NoRooms({ ui, name }: { ui: Ui; name: string }) {
  const { t } = ui;
  return (
    <p class="empty">
      {t(name === "" ? "noOtherRooms" : "noRoomFound")}
      <a
        class="button"
        href="/#room-name"
        onClick={(event) => {
          event.preventDefault();
          beginRoom(ui, name);
        }}
      >
        {t(name === "" ? "createFirst" : "createIt")}
      </a>
    </p>
  );
}

/** Leads to the form for a new room, with a name to begin with. */
function beginRoom({ navigate }: Ui, name: string): void {
  const input = document.getElementById("room-name") as HTMLInputElement;
  // In a narrow window the form is on the page of the user's rooms.
  if (!input.checkVisibility()) navigate("/");
  input.value = name;
  requestAnimationFrame(() => input.focus());
}

function FoundRoom({ ui, room }: { ui: Ui; room: Room }) {
  const { client, t } = ui;
  const { id, name, memberCount } = room;
  const isMember = client.rooms.get(id) !== undefined;
  return (
    <li>
      <Avatar name={name} shape="room" />
      <div class="found-name">
        <b dir="auto">{name}</b>
        <small>{t("memberCount", { n: memberCount })}</small>
      </div>
      {isMember
        ? (
          <a
            class="button quiet"
            href={`/rooms/${id}`}
            data-chat
            aria-label={`${t("open")} ${name}`}
          >
            {t("open")}
          </a>
        )
        : <JoinForm ui={ui} room={room} label={t("join")} />}
    </li>
  );
}

const JOIN_REFUSALS: Record<string, keyof Strings> = {
  room_not_found: "roomMissing",
  too_many_rooms: "tooManyRooms",
};

/** A button that makes the user a member and shows the room. */
export function JoinForm(
  { ui, room, label }: { ui: Ui; room: Room; label: string },
) {
  const { client, t, navigate } = ui;
  const [problem, setProblem] = useState("");
  const { id, name } = room;
  return (
    <form
      class="join"
      method="post"
      action={`/rooms/${id}/join?user=${client.user.id}`}
      onSubmit={async (event) => {
        event.preventDefault();
        const result = await joinRoom(client, id);
        if (result.ok) navigate(`/rooms/${id}`);
        else setProblem(t(JOIN_REFUSALS[result.code] ?? "failed"));
      }}
    >
      <button type="submit" aria-label={`${label} ${name}`}>{label}</button>
      {problem && <p role="alert">{problem}</p>}
    </form>
  );
}

/** A room the user is not in. */
export function OtherRoom(
  { ui, id, known, isMissing: isKnownMissing }: {
    ui: Ui;
    id: string;
    known: Room | undefined;
    /** The server has just said that there is no such room. */
    isMissing: boolean;
  },
) {
  const { client, t } = ui;
  const [room, setRoom] = useState(known?.id === id ? known : undefined);
  const [isMissing, setMissing] = useState(isKnownMissing);
  useEffect(() => {
    if (room !== undefined || isMissing) return;
    findRoom(client.api, id).then((result) => {
      if (result.ok) setRoom(result.data);
      else setMissing(result.status === 404 || result.status === 400);
    });
  }, []);
  return (
    <section class="main lobby other-room">
      <header class="lobby-header">
        <BackLink ui={ui} />
        {room && <Avatar name={room.name} shape="room" />}
        {room && <h1 dir="auto">{room.name}</h1>}
        {room && <p>{t("notMember")}</p>}
        {isMissing && <h1>{t("roomMissing")}</h1>}
      </header>
      {room ? <JoinForm ui={ui} room={room} label={t("joinRoom")} /> : (
        <p>
          <a class="button" href="/discover" data-chat>{t("discover")}</a>
        </p>
      )}
    </section>
  );
}
