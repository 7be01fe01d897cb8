/** HTTP as it stands on the wire, for what `fetch` refuses to send. */

import type { TestApp } from "../helpers/app.ts";

export interface RawAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

/** Sends the lines of a request on a connection of its own, reads the answer and hangs up. */
export async function rawRequest(
  app: Pick<TestApp, "port">,
  lines: readonly string[],
): Promise<RawAnswer> {
  using connection = await Deno.connect({ port: app.port });
  await connection.write(
    new TextEncoder().encode([...lines, "", ""].join("\r\n")),
  );
  const isHead = lines[0]?.startsWith("HEAD ") ?? false;
  let text = "";
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(16_384);
  for (;;) {
    const length = await connection.read(buffer);
    if (length === null) throw new Error(`the answer ended early: ${text}`);
    text += decoder.decode(buffer.subarray(0, length), { stream: true });
    const end = text.indexOf("\r\n\r\n");
    if (end < 0) continue;
    const answer = parseAnswer(text.slice(0, end), text.slice(end + 4));
    const announced = Number(answer.headers.get("content-length") ?? 0);
    const bytes = new TextEncoder().encode(answer.body).length;
    if (isHead || bytes >= announced) return answer;
  }
}

function parseAnswer(head: string, body: string): RawAnswer {
  const [statusLine = "", ...headerLines] = head.split("\r\n");
  const headers = new Headers();
  for (const line of headerLines) {
    const colon = line.indexOf(":");
    headers.append(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  return { status: Number(statusLine.split(" ")[1]), headers, body };
}
