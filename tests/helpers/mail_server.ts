/** A mail server of one's own, in a process of its own. */

export interface Mail {
  readonly from: string;
  readonly to: string[];
  /** Headers and text, as they came. */
  readonly source: string;
}

export interface MailServer extends AsyncDisposable {
  readonly port: number;
  /** Every mail so far. */
  readonly mails: readonly Mail[];
  /** The first mail to this address that was not asked for before. */
  next(to: string): Promise<Mail>;
}

/** How long a mail may take, in milliseconds. */
const PATIENCE_MS = 10_000;

/** @param options see smtp_sink.ts */
export async function startMailServer(
  ...options: ("auth" | "refuse" | "greylist" | "tls")[]
): Promise<MailServer> {
  const sink = new URL("./smtp_sink.ts", import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-A", "--no-check", sink, ...options],
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const mails: Mail[] = [];
  const taken = new Set<Mail>();
  let changed = Promise.withResolvers<void>();
  const port = Promise.withResolvers<number>();
  const reading = (async () => {
    let text = "";
    for await (
      const chunk of child.stdout.pipeThrough(new TextDecoderStream())
    ) {
      const lines = (text + chunk).split("\n");
      text = lines.pop() ?? "";
      for (const line of lines) {
        if (line.startsWith("port ")) port.resolve(Number(line.slice(5)));
        else mails.push(JSON.parse(line));
      }
      changed.resolve();
      changed = Promise.withResolvers();
    }
    port.reject(new Error("the mail server has ended"));
  })();
  return {
    port: await port.promise,
    mails,
    async next(to) {
      const deadline = Date.now() + PATIENCE_MS;
      for (;;) {
        const mail = mails.find((each) =>
          !taken.has(each) && each.to.includes(to)
        );
        if (mail !== undefined) {
          taken.add(mail);
          return mail;
        }
        let timer: ReturnType<typeof setTimeout> | undefined;
        const late = new Promise<never>((_, reject) => {
          timer = setTimeout(
            () => reject(new Error(`no mail to ${to}`)),
            Math.max(0, deadline - Date.now()),
          );
        });
        await Promise.race([changed.promise, late]).finally(() =>
          clearTimeout(timer)
        );
      }
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.status;
      await reading;
    },
  };
}

/** The code that a mail brings. */
export function codeIn(mail: Mail): string {
  return /^(\d{6}) is the code/m.exec(mail.source)?.[1] ?? "";
}
