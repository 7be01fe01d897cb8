/** Sends login codes by e-mail. */

import { errorFields, type Log } from "../../log.ts";

/** Mails on their way to the mail server at most; more are dropped, and their users ask again. */
const MAX_SENDING = 500;

/** Mails that wait for a further try at most; beyond that the first failure is the last. */
const MAX_RETRIES = 500;

/**
 * Pauses before the further tries of a mail, in milliseconds. A greylisting server takes it after one to
 * five minutes; all together they are well within the ten minutes that a code lives.
 */
const RETRY_DELAYS_MS = [20_000, 60_000, 120_000, 150_000];

/** Failures of the connection: the server may be back soon. */
const CONNECTION_ERRORS = ["ECONNECTION", "EDNS", "ESOCKET", "ETIMEDOUT"];

/** Connections to the mail server at once. */
const CONNECTIONS = 2;

/** A mail server that says nothing for so long is given up, in milliseconds. */
const SILENCE_MS = 20_000;

/** What was accepted gets this long at shutdown, in milliseconds. */
const CLOSE_TIMEOUT_MS = 3_000;

export interface LoginCodeMail {
  readonly to: string;
  readonly username: string;
  readonly loginCode: string;
  /** Whether the code is still the user's newest and good: asked before a further try. */
  isWanted(): Promise<boolean>;
}

export interface CodeMail {
  /**
   * Sends a code in the background: whether and how fast a mail leaves must not show in the answer to
   * who asked for it. A mail that the server puts off is tried again while its code is wanted. Failures
   * are logged, without the code.
   */
  send(mail: LoginCodeMail): void;
  /** Waits a little for what is on its way; further tries are called off. */
  close(): Promise<void>;
}

/**
 * Makes ready to send; no connection is made before the first mail.
 *
 * @param settings.smtpUrl `smtp://` or `smtps://`, with name and password where the server wants them
 * @param after runs a function once after some milliseconds; what it returns calls that off
 */
export async function openCodeMail(
  settings: { readonly smtpUrl: string; readonly from: string },
  log: Log,
  after: (ms: number, run: () => void) => () => void,
): Promise<CodeMail> {
  // Only who sends mail loads the library.
  const { createTransport } = await import("nodemailer");
  const transport = createTransport(transportUrl(settings.smtpUrl));
  const sending = new Set<Promise<void>>();
  const retries = new Set<() => void>();

  /** @param tries how many there were before this one */
  async function deliver(mail: LoginCodeMail, tries: number): Promise<void> {
    const { username } = mail;
    try {
      if (tries > 0 && !await mail.isWanted()) return;
      await transport.sendMail({
        from: settings.from,
        to: { name: "", address: mail.to },
        subject: "Your ChatKet login code",
        text: mailText(mail),
        headers: { "Auto-Submitted": "auto-generated" },
      });
      log.info("login code mailed", { username });
    } catch (error) {
      const fields = { username, ...errorFields(error) };
      const delay = isTemporary(error) ? RETRY_DELAYS_MS[tries] : undefined;
      if (delay === undefined || retries.size >= MAX_RETRIES) {
        return log.error("a login code could not be mailed", fields);
      }
      log.warn("a login code could not be mailed yet", fields);
      const cancel = after(delay, () => {
        retries.delete(cancel);
        start(mail, tries + 1);
      });
      retries.add(cancel);
    }
  }

  function start(mail: LoginCodeMail, tries: number): void {
    if (sending.size >= MAX_SENDING) {
      const { username } = mail;
      return log.error("too many mails wait; one was dropped", { username });
    }
    const delivery = deliver(mail, tries)
      .finally(() => sending.delete(delivery));
    sending.add(delivery);
  }

  return {
    send: (mail) => start(mail, 0),
    async close() {
      let timer: ReturnType<typeof setTimeout> | undefined;
      await Promise.race([
        Promise.all(sending),
        new Promise((resolve) => {
          timer = setTimeout(resolve, CLOSE_TIMEOUT_MS);
        }),
      ]);
      clearTimeout(timer);
      for (const cancel of retries) cancel();
      retries.clear();
      transport.close();
    },
  };
}

/** Whether the same mail may be taken later: the server says so (4xx, RFC 5321), or was not reached. */
function isTemporary(error: unknown): boolean {
  const { responseCode, code } = error as {
    responseCode?: number;
    code?: string;
  };
  return responseCode === undefined
    ? CONNECTION_ERRORS.includes(code ?? "")
    : responseCode >= 400 && responseCode < 500;
}

/** Hosts that are this machine, as URLs write them. */
const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/i;

/**
 * nodemailer takes its options as parameters of the address. Certificates are not checked on
 * `localhost`: mail servers on the same machine have self-signed ones, and no attacker is in between.
 */
function transportUrl(smtpUrl: string): string {
  const url = new URL(smtpUrl);
  const options = {
    pool: true,
    maxConnections: CONNECTIONS,
    connectionTimeout: SILENCE_MS,
    greetingTimeout: SILENCE_MS,
    socketTimeout: SILENCE_MS,
    ...LOOPBACK.test(url.hostname) ? { "tls.rejectUnauthorized": false } : {},
  };
  for (const [name, value] of Object.entries(options)) {
    if (!url.searchParams.has(name)) url.searchParams.set(name, String(value));
  }
  return url.href;
}

/** The code is in the text alone: subjects are shown on locked screens and kept in logs. */
function mailText({ username, loginCode }: LoginCodeMail): string {
  return `${loginCode} is the code to sign in to ChatKet as ${username}.\n\n` +
    `It works once, for ten minutes. If you did not ask for it, somebody typed your name: ` +
    `without the code they do not get in, and you need do nothing.\n`;
}
