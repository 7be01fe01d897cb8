/** Sends login codes by e-mail. */

import { errorFields, type Log } from "../log.ts";

/** Mails that wait for the mail server at most; more are dropped, and their users ask again. */
const MAX_WAITING = 500;

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
}

export interface CodeMail {
  /**
   * Sends a code in the background: whether and how fast a mail leaves must not show in the answer to
   * who asked for it. Failures are logged, without the code.
   */
  send(mail: LoginCodeMail): void;
  /** Waits a little for what is on its way. */
  close(): Promise<void>;
}

/**
 * Makes ready to send; no connection is made before the first mail.
 *
 * @param settings.smtpUrl `smtp://` or `smtps://`, with name and password where the server wants them
 */
export async function openCodeMail(
  settings: { readonly smtpUrl: string; readonly from: string },
  log: Log,
): Promise<CodeMail> {
  // Only who sends mail loads the library.
  const { createTransport } = await import("nodemailer");
  const transport = createTransport(transportUrl(settings.smtpUrl));
  const waiting = new Set<Promise<void>>();

  async function deliver(mail: LoginCodeMail): Promise<void> {
    try {
      await transport.sendMail({
        from: settings.from,
        to: { name: "", address: mail.to },
        subject: "Your ChatKet login code",
        text: mailText(mail),
        headers: { "Auto-Submitted": "auto-generated" },
      });
      log.info("login code mailed", { username: mail.username });
    } catch (error) {
      log.error("a login code could not be mailed", {
        username: mail.username,
        ...errorFields(error),
      });
    }
  }

  return {
    send(mail) {
      if (waiting.size >= MAX_WAITING) {
        const { username } = mail;
        return log.error("too many mails wait; one was dropped", { username });
      }
      const sending = deliver(mail).finally(() => waiting.delete(sending));
      waiting.add(sending);
    },
    async close() {
      let timer: ReturnType<typeof setTimeout> | undefined;
      await Promise.race([
        Promise.all(waiting),
        new Promise((resolve) => {
          timer = setTimeout(resolve, CLOSE_TIMEOUT_MS);
        }),
      ]);
      clearTimeout(timer);
      transport.close();
    },
  };
}

/** nodemailer takes its options as parameters of the address. */
function transportUrl(smtpUrl: string): string {
  const url = new URL(smtpUrl);
  const options = {
    pool: true,
    maxConnections: CONNECTIONS,
    connectionTimeout: SILENCE_MS,
    greetingTimeout: SILENCE_MS,
    socketTimeout: SILENCE_MS,
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
