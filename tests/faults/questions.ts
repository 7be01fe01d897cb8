/** What a fault run asks the servers, past all proxies. */

import type { RosterUser } from "../../realtime/protocol/protocol.ts";
import { expectJson, type Person } from "../helpers/people.ts";
import type { Machine } from "./machine.ts";

/** The JSON of an answer, not over a connection that a fault has left half dead. */
export async function ask<T>(
  { origin }: Pick<Machine, "origin">,
  { token }: Person,
  path: string,
): Promise<T> {
  const answer = await fetch(origin + path, {
    headers: { authorization: `Bearer ${token}`, connection: "close" },
  });
  return await expectJson<T>(answer, 200);
}

/** The members of a room that a machine shows offline, machine by machine. */
export async function listOffline(
  machines: readonly Machine[],
  person: Person,
  roomId: string,
): Promise<string[]> {
  const lines: string[] = [];
  for (const machine of machines) {
    const path = `/api/rooms/${roomId}/members`;
    const members = await ask<RosterUser[]>(machine, person, path);
    const offline = members.filter(({ status }) => status === "offline")
      .map(({ username }) => username);
    if (offline.length > 0) {
      lines.push(`${machine.name}: ${offline.join(", ")}`);
    }
  }
  return lines;
}
