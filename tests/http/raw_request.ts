/** HTTP as it stands on the wire, for what `fetch` refuses to send. */

import type { TestApp } from "../helpers/app.ts";

export interface RawAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

/** Sends the lines of a request (and a body) on a connection of its own and reads the whole answer. */
export async function rawRequest(
  app: Pick<TestApp, "port">,
  lines: readonly string[],
  body = "",
): Promise<RawAnswer> {
  using connection = await Deno.connect({ port: app.port });
  const text = [...lines, "Connection: close", "", body].join("\r\n");
  const writer = connection.writable.getWriter();
  // The server may answer and close before it has read everything.
  await writer.write(new TextEncoder().encode(text)).catch(() => {});
  writer.releaseLock();
  return parseAnswer(await new Response(connection.readable).text());
}

function parseAnswer(text: string): RawAnswer {
  const [head = "", ...rest] = text.split("\r\n\r\n");
  const [statusLine = "", ...headerLines] = head.split("\r\n");
  const headers = new Headers();
  for (const line of headerLines) {
    const colon = line.indexOf(":");
    headers.append(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  return {
    status: Number(statusLine.split(" ")[1]),
    headers,
    body: rest.join("\r\n\r\n"),
  };
}
