/** Login codes by e-mail: where they go, what the answers give away, and what an address proves. */

import assert from "node:assert/strict";
import { openDatabase } from "../../db/database.ts";
import { type EnvOverrides, startTestApp } from "../helpers/app.ts";
import { makePlace } from "../helpers/database.ts";
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

const MAIL_FROM = "ChatKet <chat@example.org>";

function byMail(mail: { port: number }, login = ""): EnvOverrides {
  return {
    CODE_DELIVERY: "email",
    SMTP_URL: `smtp://${login}127.0.0.1:${mail.port}`,
    MAIL_FROM,
  };
}

/** Asks for a code; what the answer says. */
async function ask(
  app: Served,
  username: string,
  email?: string,
): Promise<Record<string, unknown>> {
  const body = { username, email };
  return await expectJson(
    await postJson(app, "/api/auth/request-code", body),
    200,
  );
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
  await using place = await makePlace();
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
  const started = Date.now();
  answers.push(await ask(third, "grace", "grace@example.org"));
  assert.ok(Date.now() - started < 2_000, "nobody waits for a mail server");
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

Deno.test("one address gets ten mails in a quarter of an hour, under whatever names", async () => {
  await using mail = await startMailServer();
  let skew = 0;
  await using app = await startTestApp(byMail(mail), {
    start: { clock: () => Date.now() + skew },
  });
  for (let i = 0; i < 13; i++) {
    await ask(app, `flood_${i}`, "Victim@example.org");
  }
  for (let i = 0; i < 10; i++) await mail.next("Victim@example.org");
  await ask(app, "other", "other@example.org");
  await mail.next("other@example.org");
  assert.equal(mail.mails.length, 11);
  skew = 901_000;
  await ask(app, "flood_0", "VICTIM@example.org");
  await mail.next("VICTIM@example.org");
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
