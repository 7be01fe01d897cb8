import assert from "node:assert/strict";
import { createRenewal, type RenewalOptions } from "./renewal.ts";
import type { TransportEvents } from "../connection/transport.ts";

const REFRESH = "/api/auth/refresh";

/** The parts that most tests have in common. */
function create(
  fetch: typeof globalThis.fetch,
  more: Partial<RenewalOptions> = {},
) {
  return createRenewal({
    url: REFRESH,
    fetch,
    locks: undefined,
    userId: "ada",
    onOtherUser: () => {},
    ...more,
  });
}

/** A server whose tokens are over until they are renewed, unless it refuses to. */
function fakeServer(renewals: (number | Error)[]) {
  const requests: string[] = [];
  let isSignedIn = false;
  const fetch = async (input: unknown) => {
    const url = String(input);
    requests.push(url);
    await Promise.resolve();
    if (url !== REFRESH) {
      return new Response(null, { status: isSignedIn ? 200 : 401 });
    }
    const status = renewals.shift() ?? 401;
    if (status instanceof Error) throw status;
    isSignedIn = status === 200;
    return new Response(null, { status });
  };
  return { requests, fetch: fetch as typeof globalThis.fetch };
}

/** The code with which the page sees a line end that the server ends with this code. */
async function closeSeen(
  code: number,
  renewals: (number | Error)[],
): Promise<number> {
  const { fetch } = fakeServer(renewals);
  let inner: TransportEvents | undefined;
  const open = create(fetch).open((events) => {
    inner = events;
    return { send: () => {}, close: () => {} };
  });
  return await new Promise((closed) => {
    open({ opened: () => {}, received: () => {}, closed });
    inner?.closed(code);
  });
}

Deno.test("a request that is 401 is made again after a renewal", async () => {
  const { fetch, requests } = fakeServer([200]);
  const renewal = create(fetch);
  assert.equal((await renewal.fetch("/api/rooms")).status, 200);
  assert.deepEqual(requests, ["/api/rooms", REFRESH, "/api/rooms"]);
});

Deno.test("requests that are 401 at the same time renew once", async () => {
  const { fetch, requests } = fakeServer([200]);
  const renewal = create(fetch);
  const answers = await Promise.all(
    ["/a", "/b", "/c"].map((path) => renewal.fetch(path)),
  );
  assert.ok(answers.every(({ status }) => status === 200));
  assert.equal(requests.filter((url) => url === REFRESH).length, 1);
});

Deno.test("when the renewal is refused the 401 stands and nothing is repeated", async () => {
  const { fetch, requests } = fakeServer([401]);
  const renewal = create(fetch);
  assert.equal((await renewal.fetch("/api/rooms")).status, 401);
  assert.deepEqual(requests, ["/api/rooms", REFRESH]);
});

Deno.test("a renewal waits its turn among the tabs", async () => {
  const { fetch } = fakeServer([200]);
  const names: string[] = [];
  const locks = {
    request: (name: string, run: () => Promise<unknown>) => {
      names.push(name);
      return run();
    },
  };
  const renewal = create(fetch, { locks: locks as never });
  await renewal.fetch("/api/rooms");
  assert.deepEqual(names, ["chatket_refresh"]);
});

Deno.test("a line that ends with its token is lost when a renewal works or may still work, and over when it is refused", async () => {
  assert.equal(await closeSeen(4401, [200]), 1006);
  assert.equal(await closeSeen(4401, [429]), 1006);
  assert.equal(await closeSeen(4401, [new TypeError("no network")]), 1006);
  assert.equal(await closeSeen(4401, [401]), 4401);
});

Deno.test("a line that ends for another reason renews nothing", async () => {
  assert.equal(await closeSeen(4403, [200]), 4403);
  assert.equal(await closeSeen(1012, [200]), 1012);
});

Deno.test("every request names the page's user, and one that is 412 is neither renewed nor repeated", async () => {
  const seen: (string | null)[] = [];
  let others = 0;
  const fetch = (_: unknown, init?: RequestInit) => {
    seen.push(new Headers(init?.headers).get("x-chatket-user"));
    return Promise.resolve(new Response(null, { status: 412 }));
  };
  const renewal = create(fetch as typeof globalThis.fetch, {
    onOtherUser: () => others++,
  });
  const headers = { "content-type": "application/json" };
  assert.equal((await renewal.fetch("/api/rooms", { headers })).status, 412);
  assert.deepEqual({ seen, others }, { seen: ["ada"], others: 1 });
});

Deno.test("a renewal that is refused for another user's cookie tells so", async () => {
  let others = 0;
  let inner: TransportEvents | undefined;
  const { fetch } = fakeServer([412]);
  const open = create(fetch, { onOtherUser: () => others++ }).open((events) => {
    inner = events;
    return { send: () => {}, close: () => {} };
  });
  await new Promise<number>((closed) => {
    open({ opened: () => {}, received: () => {}, closed });
    inner?.closed(4401);
  });
  assert.equal(others, 1);
});
