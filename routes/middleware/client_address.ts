/** Which address a request is counted under. */

import type { Context } from "hono";

/** Bits of the network that an IPv6 subscriber is given at least, and at most (RFC 6177). */
const SUBSCRIBER_BITS = 64;
const SITE_BITS = 48;

/**
 * The client's address for limits: the peer's, or behind `hops` trusted proxies the one that the
 * outermost of them saw. Entries further left are the client's own words and never believed.
 *
 * IPv6 is cut to its /64, the least a subscriber is given: one person holds all addresses in it.
 */
export function clientAddress(c: Context, hops: number): string {
  return addressKey(rawAddress(c, hops), SUBSCRIBER_BITS);
}

/** As {@link clientAddress}, but IPv6 is cut to its /48: all that one customer may have. */
export function clientNetwork(c: Context, hops: number): string {
  return addressKey(rawAddress(c, hops), SITE_BITS);
}

function rawAddress(c: Context, hops: number): string {
  const info = c.env as Partial<Deno.ServeHandlerInfo> | undefined;
  const remote = info?.remoteAddr;
  const peer = remote !== undefined && "hostname" in remote
    ? remote.hostname
    : "unknown";
  return forwardedAddress(c, hops) ?? peer;
}

function forwardedAddress(c: Context, hops: number): string | undefined {
  if (hops === 0) return undefined;
  const entry = c.req.header("x-forwarded-for")?.split(",").at(-hops)?.trim();
  if (entry === undefined) return undefined;
  const address = /^\[([^\]]*)\](?::\d+)?$/.exec(entry)?.[1] ??
    /^([\d.]+):\d+$/.exec(entry)?.[1] ?? entry;
  return /^[\da-f:.]{2,45}$/i.test(address) ? address : undefined;
}

/** The key under which an address is counted: IPv4 as it is, IPv6 as its network of this size. */
export function addressKey(address: string, bits = SUBSCRIBER_BITS): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!address.includes(":")) return address;
  const [head = "", tail] = address.split("::");
  const groups = head === "" ? [] : head.split(":");
  if (tail !== undefined) {
    const tailLength = tail === "" ? 0 : tail.split(":").length;
    while (groups.length + tailLength < 8) groups.push("0");
    if (tail !== "") groups.push(...tail.split(":"));
  }
  const network = groups.slice(0, bits / 16).map((group) =>
    (parseInt(group, 16) || 0).toString(16)
  );
  return `${network.join(":")}::/${bits}`;
}
