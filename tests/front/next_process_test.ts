/** What the shipped front does with a request whose process goes away before it answers. */

import assert from "node:assert/strict";
import { freePort } from "../helpers/system.ts";
import { nginxMissing, startNginx } from "./nginx.ts";

for (const role of ["backup", "beside"] as const) {
  Deno.test({
    name:
      `a request that reads or writes is asked again of the other process (${role}) when its own resets the connection`,
    ignore: await nginxMissing() !== undefined,
    async fn() {
      await using stack = new AsyncDisposableStack();
      const goingAway = stack.use(resetsEveryRequest());
      const asked: string[] = [];
      const other = Deno.serve(
        { hostname: "127.0.0.1", port: freePort(), onListen: () => {} },
        async (request) => {
          asked.push(`${request.method} ${await request.text()}`);
          return new Response("done", { status: 201 });
        },
      );
      stack.defer(() => other.shutdown());
      const nginx = stack.use(
        await startNginx([goingAway.port, other.addr.port], role),
      );

      for (const method of ["GET", "POST", "DELETE"]) {
        // Side by side nginx picks either of them: both are asked within two requests.
        for (const body of ["once", "again"]) {
          const answer = await fetch(nginx.origin, {
            method,
            body: method === "POST" ? body : null,
          });
          assert.equal(`${answer.status} ${await answer.text()}`, "201 done");
        }
      }
      assert.deepEqual(asked, [
        ...["GET ", "GET ", "POST once", "POST again", "DELETE ", "DELETE "],
      ]);
      assert.ok(goingAway.requests >= 3, `${goingAway.requests} were reset`);
    },
  });
}

/**
 * A process in the moment it stops: the kernel took the connection and the request, and closing the
 * listener resets both.
 */
function resetsEveryRequest() {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: freePort() });
  let requests = 0;
  const ended = (async () => {
    for await (const connection of listener) {
      requests++;
      // One byte is read and the rest is not: closing then resets the connection.
      await connection.read(new Uint8Array(1));
      connection.close();
    }
  })();
  return {
    port: listener.addr.port,
    get requests() {
      return requests;
    },
    async [Symbol.asyncDispose]() {
      listener.close();
      await ended;
    },
  };
}
