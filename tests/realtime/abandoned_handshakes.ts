/** Clients that ask for a socket and hang up before, or just after, they are answered. */

import type { Person } from "../helpers/people.ts";
import { handshake } from "./raw_socket.ts";

/** The longest that a client waits before it hangs up, in milliseconds. */
const LONGEST_WAIT_MS = 40;

/** Clients that do so at the same time. */
const LANES = 4;

/** The server must have let go of them within this time, in milliseconds. */
const PATIENCE_MS = 10_000;

/** Sends so many handshakes and ends each connection with a FIN, at once or up to 40 ms later. */
export async function abandonHandshakes(
  port: number,
  person: Pick<Person, "token">,
  count: number,
): Promise<void> {
  const request = handshake(port, person);
  let next = 0;
  const lane = async () => {
    while (next < count) {
      const waitMs = next++ % (LONGEST_WAIT_MS + 1);
      using connection = await Deno.connect({ hostname: "127.0.0.1", port });
      await connection.write(request);
      if (waitMs > 0) await pause(waitMs);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}

/** Connections that a process on this port still holds although their clients have hung up (CLOSE-WAIT). */
export async function abandonedAt(port: number): Promise<number> {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  const table = await Deno.readTextFile("/proc/net/tcp");
  const held = new RegExp(`^\\s*\\d+: [0-9A-F]{8}:${hex} \\S+ 08 `);
  return table.split("\n").filter((line) => held.test(line)).length;
}

/** How many are still held when the server has had the time to let go of them. */
export async function leftAt(port: number): Promise<number> {
  let left = await abandonedAt(port);
  for (let waited = 0; left > 0 && waited < PATIENCE_MS; waited += 50) {
    await pause(50);
    left = await abandonedAt(port);
  }
  return left;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
