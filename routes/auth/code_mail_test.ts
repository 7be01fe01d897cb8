import assert from "node:assert/strict";
import { createFakeClock } from "../../tests/helpers/clock.ts";
import { recordingLog } from "../../tests/helpers/log.ts";
import {
  codeIn,
  type MailServer,
  startMailServer,
} from "../../tests/helpers/mail_server.ts";
import { openCodeMail } from "./code_mail.ts";

async function openTestMail(smtpUrl: string) {
  const clock = createFakeClock();
  const log = recordingLog();
  const settings = { smtpUrl, from: "chat@example.org" };
  const mail = await openCodeMail(settings, log, clock.after);
  return {
    clock,
    log,
    send: (username: string, isWanted = true) =>
      mail.send({
        to: `${username}@example.org`,
        username,
        loginCode: "123456",
        isWanted: () => Promise.resolve(isWanted),
      }),
    /** Resolves when the log has this many lines. */
    async logged(count: number) {
      while (log.lines.length < count) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
    [Symbol.asyncDispose]: () => mail.close(),
  };
}

/** nodemailer's timers outlive a failed connection for a moment. */
const test = (name: string, fn: () => Promise<void>) =>
  Deno.test({ name, fn, sanitizeOps: false, sanitizeResources: false });

const urlOf = ({ port }: MailServer, host = "127.0.0.1") =>
  `smtp://${host}:${port}`;

test("a mail that a greylisting server puts off is sent again while its code is wanted, and not otherwise", async () => {
  await using server = await startMailServer("greylist");
  await using mail = await openTestMail(urlOf(server));
  mail.send("alice");
  mail.send("bob", false);
  await mail.logged(2);
  assert.ok(mail.log.lines.every((line) => line.includes("mailed yet")));
  await mail.clock.advance(19_999);
  assert.equal(mail.clock.waiting, 2);
  await mail.clock.advance(1);
  assert.equal(codeIn(await server.next("alice@example.org")), "123456");
  await mail.logged(3);
  assert.match(mail.log.lines[2]!, /login code mailed.*alice/);
  assert.equal(mail.clock.waiting, 0);
  assert.deepEqual(server.mails.map(({ to }) => to[0]), ["alice@example.org"]);
});

test("a mail server that is away is tried four times more within the life of a code, then the mail is given up", async () => {
  await using mail = await openTestMail("smtp://127.0.0.1:1");
  mail.send("carol");
  const begun = mail.clock.now();
  for (const [tries, delay] of [20_000, 60_000, 120_000, 150_000].entries()) {
    await mail.logged(tries + 1);
    assert.match(mail.log.lines[tries]!, /mailed yet/);
    await mail.clock.advance(delay);
  }
  await mail.logged(5);
  assert.match(mail.log.lines[4]!, /could not be mailed\b(?! yet)/);
  assert.equal(mail.clock.waiting, 0);
  assert.ok(mail.clock.now() - begun < 600_000);
});

test("a mail that is refused for good is not sent again", async () => {
  await using server = await startMailServer("refuse");
  await using mail = await openTestMail(urlOf(server));
  mail.send("dora");
  await mail.logged(1);
  assert.match(mail.log.lines[0]!, /could not be mailed\b(?! yet)/);
  assert.equal(mail.clock.waiting, 0);
});

test("close() calls off further tries", async () => {
  const mail = await openTestMail("smtp://127.0.0.1:1");
  mail.send("erin");
  await mail.logged(1);
  assert.equal(mail.clock.waiting, 1);
  await mail[Symbol.asyncDispose]();
  assert.equal(mail.clock.waiting, 0);
});

test("STARTTLS with a self-signed certificate works on the same machine, unless the URL wants it checked", async () => {
  await using server = await startMailServer("tls");
  for (const host of ["127.0.0.1", "localhost"]) {
    await using mail = await openTestMail(urlOf(server, host));
    mail.send("frank");
    await server.next("frank@example.org");
  }
  await using checked = await openTestMail(
    `${urlOf(server)}?tls.rejectUnauthorized=true`,
  );
  checked.send("grace");
  await checked.logged(1);
  assert.match(checked.log.lines[0]!, /self-signed|certificate/i);
  assert.equal(server.mails.length, 2);
});
