/**
 * A mail server that keeps nothing: prints `port N`, then one JSON line for each mail it was given.
 * With the argument `auth` it wants the name `chat` and the password `hunter2`; with `refuse` it takes
 * no recipient.
 */

import { SMTPServer } from "smtp-server";

const print = (line: string) =>
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));

const server = new SMTPServer({
  authOptional: !Deno.args.includes("auth"),
  // The password may cross the loopback in the clear.
  allowInsecureAuth: true,
  hideSTARTTLS: true,
  disableReverseLookup: true,
  logger: false,
  onAuth({ username, password }, _session, callback) {
    const isRight = username === "chat" && password === "hunter2";
    if (isRight) callback(null, { user: username });
    else callback(new Error("wrong name or password"));
  },
  onRcptTo(_address, _session, callback) {
    if (Deno.args.includes("refuse")) callback(new Error("no such mailbox"));
    else callback();
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
server.listen(0, "127.0.0.1", () => {
  const address = server.server.address();
  print(`port ${typeof address === "object" && address?.port}`);
});
