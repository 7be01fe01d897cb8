/** What happens when the form for a new room is sent. */

import { createRoom as create } from "../../client/membership/membership.ts";
import type { Strings } from "../../strings/en.ts";
import type { Ui } from "../ui.ts";

const REFUSALS: Record<string, keyof Strings> = {
  room_name_taken: "roomNameTaken",
  too_many_rooms: "tooManyRooms",
  too_many_requests: "tooManyNewRooms",
  validation_failed: "badRoomName",
  unreachable: "unreachable",
  other_user: "otherUser",
};

/** Makes the room the form names and goes there, or says in the form what it was refused for. */
export async function createRoom(
  { client, t, navigate }: Ui,
  form: HTMLFormElement,
): Promise<void> {
  // The room is being made: a second Enter would be told that its name is taken.
  if (form.ariaBusy === "true") return;
  form.ariaBusy = "true";
  const name = new FormData(form).get("name");
  const result = await create(client, String(name ?? "").trim());
  form.ariaBusy = null;
  const refusal = result.ok ? "" : t(REFUSALS[result.code] ?? "failed");
  form.querySelector("input")?.setAttribute("aria-invalid", `${!result.ok}`);
  form.querySelector(".problem")?.replaceChildren(refusal);
  if (!result.ok) return;
  form.reset();
  navigate(`/rooms/${result.data.id}`);
}
