import assert from "node:assert/strict";
import { Hono } from "hono";
import { addressKey, clientAddress } from "./client_address.ts";

async function addressSeen(
  hops: number,
  peer: string | undefined,
  forwarded?: string,
): Promise<string> {
  const app = new Hono().get("/", (c) => c.text(clientAddress(c, hops)));
  const headers = forwarded === undefined
    ? {}
    : { "x-forwarded-for": forwarded };
  const env = peer === undefined
    ? {}
    : { remoteAddr: { hostname: peer, port: 1, transport: "tcp" } };
  return await (await app.request("/", { headers }, env)).text();
}

Deno.test("clientAddress() believes no header without trusted proxies", async () => {
  assert.equal(await addressSeen(0, "192.0.2.1", "198.51.100.9"), "192.0.2.1");
});

Deno.test("clientAddress() takes the entry that the outermost trusted proxy wrote", async () => {
  const forged = "203.0.113.66, 198.51.100.9, 10.0.0.2";
  assert.equal(await addressSeen(1, "10.0.0.1", forged), "10.0.0.2");
  assert.equal(await addressSeen(2, "10.0.0.1", forged), "198.51.100.9");
});

Deno.test("clientAddress() falls back on the peer when the header is short or no address", async () => {
  assert.equal(await addressSeen(2, "10.0.0.1", "198.51.100.9"), "10.0.0.1");
  assert.equal(await addressSeen(1, "10.0.0.1"), "10.0.0.1");
  assert.equal(await addressSeen(1, "10.0.0.1", "evil; drop"), "10.0.0.1");
  assert.equal(await addressSeen(1, undefined), "unknown");
});

Deno.test("clientAddress() reads entries with a port", async () => {
  assert.equal(await addressSeen(1, "10.0.0.1", "192.0.2.7:4711"), "192.0.2.7");
  assert.equal(
    await addressSeen(1, "10.0.0.1", "[2001:db8::7]:4711"),
    "2001:db8:0:0::/64",
  );
});

Deno.test("addressKey() counts IPv6 by its /64 and mapped IPv4 as IPv4", () => {
  assert.equal(addressKey("::ffff:192.0.2.1"), "192.0.2.1");
  assert.equal(addressKey("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
  assert.equal(addressKey("2001:DB8:1:2::6"), "2001:db8:1:2::/64");
  assert.equal(addressKey("2001:0db8::1"), "2001:db8:0:0::/64");
  assert.equal(addressKey("::1"), "0:0:0:0::/64");
  assert.equal(addressKey("unknown"), "unknown");
  assert.equal(addressKey("2001:db8:1:2:3:4:5:6", 48), "2001:db8:1::/48");
  assert.equal(addressKey("2001:db8::7", 48), "2001:db8:0::/48");
  assert.equal(addressKey("192.0.2.1", 48), "192.0.2.1");
});
