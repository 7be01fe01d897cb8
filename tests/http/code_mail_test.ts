/** Login codes by e-mail: where they go, what the answers give away, and what an address proves. */

import assert from "node:assert/strict";
import { openDatabase } from "../../db/engine/database.ts";
import { type EnvOverrides, startTestApp } from "../helpers/app.ts";
import { makeMigratedPlace } from "../helpers/database.ts";
import { silentLog } from "../helpers/log.ts";
import {
  codeIn,
  type MailServer,
  startMailServer,
} from "../helpers/mail_server.ts";
import {
  expectJson,
  postJson,
  type Served,
  signIn,
} from "../helpers/people.ts";
import { expectProblem } from "./expect_problem.ts";

const QUARTER_MS = 900_000;
const MAIL_FROM = "ChatKet <chat@example.org>";

function byMail(mail: { port: number }, login = ""): EnvOverrides {
  return {
    CODE_DELIVERY: "email",
    SMTP_URL: `smtp://${login}127.0.0.1:${mail.port}`,
    MAIL_FROM,
  };
}

/** Asks for a code, from an address of one's own when proxies are trusted; what the answer says. */
async function ask(
  app: Served,
  username: string,
  email?: string,
  address = "192.0.2.1",
): Promise<Record<string, unknown>> {
  const answer = await fetch(`${app.origin}/api/auth/request-code`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "x-forwarded-for": address,
    },
    body: JSON.stringify({ username, email }),
  });
  return await expectJson(answer, 200);
}

const verify = (app: Served, username: string, code: string) =>
  postJson(app, "/api/auth/verify-code", { username, code });

/** Signs in for the first time, by the mail that comes. */
async function claim(
  app: Served,
  mail: MailServer,
  username: string,
  email: string,
): Promise<void> {
  await ask(app, username, email);
  const answer = await verify(app, username, codeIn(await mail.next(email)));
  await expectJson(answer, 200);
}

Deno.test("a code by e-mail reaches the address of the first sign-in, and later codes go there whatever is asked", async () => {
  await using mail = await startMailServer();
  const lines: string[] = [];
  await using app = await startTestApp(
    { ...byMail(mail), LOG_LEVEL: "debug" },
    { start: { writeLog: (line) => void lines.push(line) } },
  );
  const answer = await ask(app, "alice", "alice@example.org");
  assert.deepEqual(Object.keys(answer), ["message"]);
  const first = await mail.next("alice@example.org");
  assert.equal(first.from, "chat@example.org");
  const subject = /^Subject: (.*)$/m.exec(first.source)?.[1] ?? "";
  assert.match(subject, /login code/);
  assert.ok(!subject.includes(codeIn(first)), "no code in the subject");
  assert.match(first.source, /^Auto-Submitted: auto-generated/m);
  await expectJson(await verify(app, "alice", codeIn(first)), 200);

  await ask(app, "ALICE", "mallory@example.org");
  const second = await mail.next("alice@example.org");
  await expectJson(await verify(app, "alice", codeIn(second)), 200);
  await ask(app, "alice");
  const third = await mail.next("alice@example.org");
  await expectJson(await verify(app, "alice", codeIn(third)), 200);
  assert.ok(!mail.mails.some(({ to }) => to.includes("mallory@example.org")));
  const log = lines.join("\n");
  assert.ok(log.includes("login code mailed"), "the premise: it logs");
  for (const each of [first, second, third]) {
    assert.ok(!new RegExp(`\\b${codeIn(each)}\\b`).test(log));
  }
});

Deno.test("an address that was not proven gains nothing: who proves one first has the name", async () => {
  await using mail = await startMailServer();
  await using app = await startTestApp(byMail(mail));
  await ask(app, "bob", "first@example.org");
  const stale = codeIn(await mail.next("first@example.org"));
  await claim(app, mail, "bob", "second@example.org");
  await expectProblem(await verify(app, "bob", stale), "invalid_code");
  await ask(app, "bob", "first@example.org");
  await mail.next("second@example.org");
  assert.equal(
    mail.mails.filter(({ to }) => to[0] === "first@example.org").length,
    1,
  );
});

Deno.test("a name that signed in before codes went by e-mail cannot be claimed with an address", async () => {
  await using mail = await startMailServer();
  await using place = await makeMigratedPlace();
  {
    await using before = await startTestApp({}, { place });
    await signIn(before, "carol");
  }
  {
    await using app = await startTestApp(byMail(mail), { place });
    await ask(app, "carol", "mallory@example.org");
    await claim(app, mail, "dora", "dora@example.org");
    assert.equal(mail.mails.length, 1, "only Dora's");
  }
  {
    const db = await openDatabase(place, silentLog);
    await db.updateTable("users").set({ email: "carol@example.org" })
      .where("username", "=", "carol").execute();
    await db.destroy();
    await using app = await startTestApp(byMail(mail), { place });
    await ask(app, "carol");
    const code = codeIn(await mail.next("carol@example.org"));
    await expectJson(await verify(app, "carol", code), 200);
  }
});

Deno.test("the answer is the same whether name, address and mail server exist", async () => {
  await using mail = await startMailServer();
  await using app = await startTestApp(byMail(mail));
  await claim(app, mail, "erin", "erin@example.org");
  const answers = [
    await ask(app, "erin"),
    await ask(app, "erin", "other@example.org"),
    await ask(app, "nobody_yet"),
    await ask(app, "nobody_else", "somebody@example.org"),
  ];
  await using refusing = await startMailServer("refuse");
  await using second = await startTestApp(byMail(refusing));
  answers.push(await ask(second, "frank", "frank@example.org"));
  await using third = await startTestApp({
    ...byMail({ port: 1 }),
  });
  answers.push(await ask(third, "grace", "grace@example.org"));
  for (const answer of answers) assert.deepEqual(answer, answers[0]);
});

Deno.test("a mail server's name and password are used, and a wrong one is logged without it", async () => {
  await using mail = await startMailServer("auth");
  await using app = await startTestApp(byMail(mail, "chat:hunter2@"));
  await claim(app, mail, "heidi", "heidi@example.org");
  const lines: string[] = [];
  await using wrong = await startTestApp(byMail(mail, "chat:wrong-one@"), {
    start: { writeLog: (line) => void lines.push(line) },
  });
  await ask(wrong, "ivan", "ivan@example.org");
  await wrong.stop();
  assert.match(lines.join("\n"), /could not be mailed/);
  assert.ok(!lines.join("\n").includes("wrong-one"));
  assert.equal(mail.mails.length, 1);
});

Deno.test("strangers who type an address use up a budget of their own, and the owner's mails still come", async () => {
  await using mail = await startMailServer();
  let skew = 0;
  await using app = await startTestApp(
    { ...byMail(mail), TRUSTED_PROXY_HOPS: "1" },
    { start: { clock: () => Date.now() + skew } },
  );
  await claim(app, mail, "owner", "owner@example.org");
  skew += QUARTER_MS;
  const before = mail.mails.length;
  // Ten from each of four networks, half of them with a tag that leads to the same mailbox.
  for (let n = 0; n < 40; n++) {
    const email = n % 2 === 0 ? "Owner@example.org" : `owner+${n}@example.org`;
    await ask(app, `flood_${n}`, email, `203.0.113.${n % 4}`);
  }
  for (let n = 0; n < 3; n++) {
    await ask(app, "owner", undefined, "198.51.100.1");
    const code = codeIn(await mail.next("owner@example.org"));
    await expectJson(await verify(app, "owner", code), 200);
  }
  await ask(app, "other", "other@example.org", "203.0.113.1");
  await mail.next("other@example.org");
  const claims = mail.mails.length - before - 4;
  assert.equal(claims, 9, "three of a network, nine of all");

  skew += QUARTER_MS;
  await ask(app, "flood_0", "OWNER@example.org", "203.0.113.1");
  await mail.next("OWNER@example.org");
});

Deno.test("a stranger who asks for codes of a name uses up neither the owner's mails nor the code on its way", async () => {
  await using mail = await startMailServer();
  await using app = await startTestApp({
    ...byMail(mail),
    TRUSTED_PROXY_HOPS: "1",
  });
  await claim(app, mail, "owner", "owner@example.org");
  for (let n = 0; n < 12; n++) {
    await ask(app, "owner", "stranger@example.org", "203.0.113.1");
  }
  for (let n = 0; n < 10; n++) await mail.next("owner@example.org");
  await ask(app, "owner", undefined, "198.51.100.1");
  const code = codeIn(await mail.next("owner@example.org"));
  // Not mailed any more: it must not void the owner's.
  await ask(app, "owner", "stranger@example.org", "203.0.113.1");
  await expectJson(await verify(app, "owner", code), 200);
  assert.equal(mail.mails.length, 12);

  await ask(app, "newcomer", "newcomer@example.org");
  const first = codeIn(await mail.next("newcomer@example.org"));
  // Without an address there is nowhere to mail a code to.
  await ask(app, "newcomer", undefined, "203.0.113.1");
  await expectJson(await verify(app, "newcomer", first), 200);
});

Deno.test("an address with a line break, a list or nonsense is 400 and nothing is sent", async () => {
  await using mail = await startMailServer();
  await using app = await startTestApp(byMail(mail));
  for (
    const email of [
      "a@example.org\r\nBcc: b@example.org",
      "a@example.org, b@example.org",
      "a@example.org\0",
      "<a@example.org>",
      "a@",
      "@example.org",
      "",
      `${"a".repeat(250)}@example.org`,
      ["a@example.org"],
      7,
    ]
  ) {
    const answer = await postJson(app, "/api/auth/request-code", {
      username: "judy",
      email,
    });
    const { errors } = await expectProblem(answer, "validation_failed");
    assert.equal(errors?.[0]?.path.split(".")[0], "email");
  }
  await claim(app, mail, "judy", "judy@example.org");
  assert.equal(mail.mails.length, 1);
});

Deno.test("the login page asks for the address and says where the code went, also without script", async () => {
  await using mail = await startMailServer();
  await using app = await startTestApp(byMail(mail));
  const page = await (await fetch(`${app.origin}/login`)).text();
  assert.match(page, /<input[^>]* name="email"/);
  const post = (fields: Record<string, string>) =>
    fetch(`${app.origin}/login`, {
      method: "POST",
      body: new URLSearchParams(fields),
      redirect: "manual",
    });
  const bad = await post({ username: "kim", email: "nonsense" });
  assert.equal(bad.status, 400);
  assert.match(await bad.text(), /Check the e-mail address/);
  const second = await post({ username: "kim", email: "kim@example.org" });
  assert.match(await second.text(), /on its way/);
  const code = codeIn(await mail.next("kim@example.org"));
  const done = await post({ username: "kim", code });
  assert.equal(done.status, 303);
  assert.match(done.headers.get("set-cookie") ?? "", /chatket_session=/);
});

Deno.test("without e-mail the login page asks for no address", async () => {
  await using app = await startTestApp();
  const page = await (await fetch(`${app.origin}/login`)).text();
  assert.ok(!page.includes('name="email"'));
});
