import { Hono } from "hono";
import assert from "node:assert/strict";
import { isForeign, isHttps, ownOrigin } from "./request_origin.ts";

interface Seen {
  own: string | null;
  https: boolean;
  foreign: boolean;
}

async function see(
  headers: Record<string, string>,
  settings: { publicOrigin?: string; trustedProxyHops?: number } = {},
  url = "http://chat.test:3000/x",
): Promise<Seen> {
  const { publicOrigin, trustedProxyHops = 0 } = settings;
  const full = { publicOrigin, trustedProxyHops };
  const app = new Hono().get("*", (c) =>
    c.json({
      own: ownOrigin(c, full) ?? null,
      https: isHttps(c, full),
      foreign: isForeign(c, full),
    }));
  return await (await app.request(url, { headers })).json();
}

Deno.test("ownOrigin() is the request's scheme and host", async () => {
  assert.equal((await see({})).own, "http://chat.test:3000");
  assert.equal((await see({ host: "Other.test:80" })).own, "http://other.test");
});

Deno.test("ownOrigin() is PUBLIC_ORIGIN when set, whatever the request says", async () => {
  const seen = await see({ host: "evil.test", "x-forwarded-proto": "http" }, {
    publicOrigin: "https://chat.example.org",
    trustedProxyHops: 1,
  });
  assert.deepEqual([seen.own, seen.https], ["https://chat.example.org", true]);
});

Deno.test("ownOrigin() believes X-Forwarded-Proto only behind a trusted proxy", async () => {
  const headers = { "x-forwarded-proto": "https" };
  assert.equal((await see(headers)).https, false);
  const trusted = await see(headers, { trustedProxyHops: 1 });
  assert.deepEqual([trusted.own, trusted.https], [
    "https://chat.test:3000",
    true,
  ]);
});

Deno.test("ownOrigin() gives nothing for a host that could not be reached", async () => {
  for (const host of ["a;b", "a'b", "a b", "good:99999", "", "a,b"]) {
    assert.equal((await see({ host })).own, null, host);
  }
});

Deno.test("isForeign() compares whole origins", async (t) => {
  const own = "http://chat.test:3000";
  assert.equal((await see({ origin: own })).foreign, false);
  for (
    const origin of [
      "null",
      "https://chat.test:3000",
      "http://chat.test",
      "http://chat.test:3001",
      "http://chat.test:3000.evil.test",
      "http://evil.test",
      "",
    ]
  ) {
    await t.step(origin || "(empty)", async () => {
      assert.equal((await see({ origin })).foreign, true);
    });
  }
});

Deno.test("isForeign() trusts a request without either header, and heeds Sec-Fetch-Site", async () => {
  assert.equal((await see({})).foreign, false);
  assert.equal((await see({ "sec-fetch-site": "same-origin" })).foreign, false);
  assert.equal((await see({ "sec-fetch-site": "cross-site" })).foreign, true);
});
