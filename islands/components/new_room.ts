/** What happens when the form for a new room is sent. */

import type { Strings } from "../strings/en.ts";
import type { Ui } from "./ui.ts";

const REFUSALS: Record<string, keyof Strings> = {
  room_name_taken: "roomNameTaken",
  validation_failed: "badRoomName",
  unreachable: "unreachable",
};

/** Makes the room the form names and goes there; returns what it was refused for. */
export async function createRoom(
  { client, navigate }: Ui,
  form: HTMLFormElement,
): Promise<keyof Strings | undefined> {
  const name = new FormData(form).get("name");
  const result = await client.createRoom(String(name ?? "").trim());
  if (!result.ok) return REFUSALS[result.code] ?? "failed";
  form.reset();
  navigate(`/rooms/${result.data.id}`);
}
