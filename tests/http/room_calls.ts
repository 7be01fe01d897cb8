/** Calls on rooms that tests make, as verbs. */

import {
  expectJson,
  type Person,
  type Room,
  type Served,
  signIn,
} from "../helpers/people.ts";

let people = 0;

/** Someone whom no other test knows. */
export function stranger(app: Served): Promise<Person> {
  return signIn(app, `rooms_${people++}`);
}

export function create(person: Person, name: unknown): Promise<Response> {
  return person.fetch("/api/rooms", { method: "POST", json: { name } });
}

export function post(person: Person, path: string): Promise<Response> {
  return person.fetch(path, { method: "POST" });
}

export async function allRooms(person: Person, query = ""): Promise<Room[]> {
  return await person.getJson<Room[]>(`/api/rooms?all=true${query}`);
}

/** All pages of a list, as the `Link` headers lead from one to the next. */
export async function allPages<T>(
  person: Person,
  path: string,
): Promise<T[][]> {
  const pages: T[][] = [];
  for (let next: string | undefined = path; next !== undefined;) {
    const answer: Response = await person.fetch(next);
    next = /^<(.*)>; rel="next"$/.exec(answer.headers.get("link") ?? "")?.[1];
    pages.push(await expectJson<T[]>(answer, 200));
  }
  return pages;
}
