/**
 * A mail server that keeps nothing: prints `port N`, then one JSON line for each mail it was given.
 * With the argument `auth` it wants the name `chat` and the password `hunter2`; with `refuse` it takes
 * no recipient, with `greylist` each only when it comes again; with `tls` it offers STARTTLS with a
 * self-signed certificate and takes mail over nothing else.
 */

import { SMTPServer } from "smtp-server";

const print = (line: string) =>
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));

const [isGreylisting, isTls] = ["greylist", "tls"].map((option) =>
  Deno.args.includes(option)
);
const seen = new Set<string>();

const server = new SMTPServer({
  authOptional: !Deno.args.includes("auth"),
  // The password may cross the loopback in the clear.
  allowInsecureAuth: true,
  hideSTARTTLS: !isTls,
  disableReverseLookup: true,
  logger: false,
  onAuth({ username, password }, _session, callback) {
    const isRight = username === "chat" && password === "hunter2";
    if (isRight) callback(null, { user: username });
    else callback(new Error("wrong name or password"));
  },
  onRcptTo({ address }, session, callback) {
    const refuse = (text: string, responseCode = 550) =>
      callback(Object.assign(new Error(text), { responseCode }));
    if (Deno.args.includes("refuse")) return refuse("no such mailbox");
    if (isTls && !session.secure) return refuse("STARTTLS first", 530);
    if (isGreylisting && !seen.has(address)) {
      seen.add(address);
      return refuse("come back later", 451);
    }
    callback();
  },
  onData(stream, session, callback) {
    let source = "";
    stream.on("data", (chunk: Uint8Array) => {
      source += new TextDecoder().decode(chunk);
    });
    stream.on("end", () => {
      const { mailFrom, rcptTo } = session.envelope;
      print(JSON.stringify({
        from: mailFrom && mailFrom.address,
        to: rcptTo.map(({ address }) => address),
        source,
      }));
      callback();
    });
  },
});
// A client that does not trust the certificate hangs up.
server.on("error", () => {});
server.listen(0, "127.0.0.1", () => {
  const address = server.server.address();
  print(`port ${typeof address === "object" && address?.port}`);
});
