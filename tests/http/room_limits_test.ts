/** How many rooms one user may make and be in. */

import assert from "node:assert/strict";
import { useTestApp } from "../helpers/app.ts";
import { createRoom, joinRoom, leaveRoom, signIn } from "../helpers/people.ts";
import { expectProblem } from "./expect_problem.ts";

let later = 0;

const app = useTestApp({
  ROOMS_PER_HOUR: "2",
  MAX_ROOMS_PER_USER: "3",
  MAX_MEMBERSHIPS_PER_USER: "4",
}, { start: { clock: () => Date.now() + later } });

const HOUR_MS = 3_600_000;

/** Posts a form as a browser without script does. @returns where it leads */
async function postForm(
  cookie: string,
  path: string,
  fields: Record<string, string> = {},
): Promise<string | null> {
  const answer = await fetch(app.origin + path, {
    method: "POST",
    headers: { cookie },
    body: new URLSearchParams(fields),
    redirect: "manual",
  });
  await answer.body?.cancel();
  return answer.headers.get("location");
}

Deno.test("rooms are limited by the hour and in number, memberships in number", async () => {
  const [alice, bob] = [await signIn(app, "alice"), await signIn(app, "bob")];
  const make = () => {
    const name = `Room ${crypto.randomUUID().slice(0, 8)}`;
    return alice.fetch("/api/rooms", { method: "POST", json: { name } });
  };
  const own = [await createRoom(alice), await createRoom(alice)];
  const third = await make();
  const wait = Number(third.headers.get("retry-after"));
  assert.ok(wait > 3_500 && wait <= 3_600, `${wait} seconds`);
  await expectProblem(third, "too_many_requests");
  const name = "By a form";
  assert.equal(
    await postForm(alice.cookie, "/rooms", { name }),
    "/?problem=tooManyNewRooms",
  );

  later += HOUR_MS;
  own.push(await createRoom(alice));
  await expectProblem(await make(), "too_many_rooms");
  assert.equal(
    await postForm(alice.cookie, "/rooms", { name }),
    "/?problem=tooManyRooms",
  );

  const others = [await createRoom(bob), await createRoom(bob)];
  await joinRoom(alice, others[0]!.id);
  const path = `/rooms/${others[1]!.id}/join`;
  const join = () => alice.fetch(`/api${path}`, { method: "POST" });
  await expectProblem(await join(), "too_many_rooms");
  assert.equal(
    await postForm(alice.cookie, path),
    "/?problem=tooManyRooms",
  );
  // Again is no error, at the limit too.
  await joinRoom(alice, others[0]!.id);
  await leaveRoom(alice, own[0]!.id);
  await joinRoom(alice, others[1]!.id);
});
