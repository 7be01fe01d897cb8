/** The pages of somebody in very many rooms. */

import assert from "node:assert/strict";
import { useTestApp } from "../helpers/app.ts";
import {
  createRoom,
  type Person,
  type Room,
  signIn,
} from "../helpers/people.ts";

const app = useTestApp();

const ROOMS = 130;

/** The rooms in the sidebar of a page, and where its link to more of them leads. */
async function sidebar(person: Person, path: string) {
  const html = await (await person.fetch(path)).text();
  const links = html.matchAll(/<a class="room-link" href="\/rooms\/([^"]+)"/g);
  return {
    ids: [...links].map(([, id]) => id!),
    more: /<a class="discover-link" href="(\?[^"]+)"/.exec(html)?.[1],
  };
}

Deno.test("no page or answer has more than 100 rooms, and a link leads to the others", async (t) => {
  const alice = await signIn(app, "alice");
  const made: Room[] = [];
  for (let n = 0; n < ROOMS; n++) made.unshift(await createRoom(alice));
  const ids = made.map(({ id }) => id);

  await t.step("the answers of the API", async () => {
    for (const path of ["/api/rooms", "/api/rooms?all=true"]) {
      assert.equal((await alice.getJson<Room[]>(path)).length, 100, path);
    }
  });
  for (const path of ["/", "/discover"]) {
    await t.step(path, async () => {
      const first = await sidebar(alice, path);
      assert.deepEqual(first.ids, ids.slice(0, 100));
      const rest = await sidebar(alice, path + first.more);
      assert.deepEqual(rest, { ids: ids.slice(100), more: undefined });
    });
  }
  await t.step("the page of a room that is not among the first", async () => {
    const path = `/rooms/${ids[120]}`;
    const first = await sidebar(alice, path);
    assert.deepEqual(first.ids, [...ids.slice(0, 99), ids[120]]);
    const rest = await sidebar(alice, path + first.more);
    assert.deepEqual(rest, { ids: ids.slice(99), more: undefined });
  });
});
