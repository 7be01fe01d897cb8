/** Requests that race with the claim or the deletion of an account, over many rounds. */

import assert from "node:assert/strict";
import { startTestApp } from "../helpers/app.ts";
import { codeIn, startMailServer } from "../helpers/mail_server.ts";
import {
  createRoom,
  expectJson,
  joinRoom,
  postJson,
  type Served,
  signIn,
} from "../helpers/people.ts";

const ROUNDS = 40;

interface Member {
  id: string;
  username: string;
}

/** The token that an answer of verify-code carries; undefined for a refusal. */
async function tokenOf(answer: Response): Promise<string | undefined> {
  const { accessToken } = await answer.json();
  return accessToken;
}

async function requestCode(app: Served, username: string): Promise<string> {
  const answer = await postJson(app, "/api/auth/request-code", { username });
  return (await expectJson<{ code: string }>(answer, 200)).code;
}

Deno.test("a deleted account keeps no session, membership or room, whatever was on its way", async () => {
  await using app = await startTestApp();
  const witness = await signIn(app, "witness");
  const room = await createRoom(witness);
  const left = { sessions: 0, rooms: 0 };
  for (let round = 0; round < ROUNDS; round++) {
    const user = await signIn(app, `leaver_${round}`);
    const code = await requestCode(app, user.user.username);
    if (round % 2 === 0) await joinRoom(user, room.id);
    const verify = () =>
      postJson(app, "/api/auth/verify-code", {
        username: user.user.username,
        code,
      }).then(tokenOf);
    const post = async (path: string, json?: unknown) => {
      const answer = await user.fetch(path, {
        method: "POST",
        ...json === undefined ? {} : { json },
      });
      await answer.body?.cancel();
    };
    const [token] = await Promise.all([
      verify(),
      post(`/api/rooms/${room.id}/join`),
      user.fetch("/api/account", { method: "DELETE" })
        .then((answer) => assert.equal(answer.status, 204)),
      post(`/api/rooms/${room.id}/join`),
      post("/api/rooms", { name: `Left over ${round}` }),
    ]);
    if (token === undefined) continue;
    const headers = { authorization: `Bearer ${token}` };
    const me = await fetch(`${app.origin}/api/auth/me`, { headers });
    await me.body?.cancel();
    if (me.status !== 401) left.sessions++;
    const made = await fetch(`${app.origin}/api/rooms`, {
      method: "POST",
      headers: { ...headers, "content-type": "application/json" },
      body: JSON.stringify({ name: `Made after ${round}` }),
    });
    await made.body?.cancel();
    if (made.status === 201) left.rooms++;
  }
  const members = await witness.getJson<Member[]>(
    `/api/rooms/${room.id}/members`,
  );
  assert.deepEqual({ ...left, members: members.length }, {
    sessions: 0,
    rooms: 0,
    members: 1,
  });
});

Deno.test("strangers who ask for codes beside the owner's first sign-in do not enter the account", async () => {
  await using mail = await startMailServer();
  await using app = await startTestApp({
    CODE_DELIVERY: "email",
    SMTP_URL: `smtp://127.0.0.1:${mail.port}`,
    MAIL_FROM: "chat@example.org",
  });
  const verify = (username: string, code: string) =>
    postJson(app, "/api/auth/verify-code", { username, code });
  let claimed = 0;
  let entered = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const username = `owner_${round}`;
    const [own, foreign] = ["owner", "stranger"].map((who) =>
      `${who}_${round}@example.org`
    ) as [string, string];
    const ask = async (email: string) => {
      const body = { username, email };
      const answer = await postJson(app, "/api/auth/request-code", body);
      await expectJson(answer, 200);
    };
    await ask(own);
    const code = codeIn(await mail.next(own));
    const verifying = verify(username, code);
    // Another moment of the sign-in each time.
    await new Promise((resolve) => setTimeout(resolve, round % 8));
    await Promise.all([foreign, foreign, foreign].map(ask));
    const answer = await verifying;
    await answer.body?.cancel();
    // One of the strangers' codes has voided the owner's: the name is still unclaimed.
    if (answer.status !== 200) continue;
    claimed++;
    const toName = () =>
      mail.mails.filter(({ source }) => source.includes(`as ${username}.`));
    while (toName().length < 4) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    for (const { to, source, from } of toName()) {
      if (!to.includes(foreign)) continue;
      const tried = await verify(username, codeIn({ to, source, from }));
      await tried.body?.cancel();
      if (tried.status === 200) entered++;
    }
  }
  assert.equal(entered, 0, `of ${claimed} claimed accounts`);
});
