import assert from "node:assert/strict";
import { until } from "../helpers/rooms.ts";
import { FaultProxy } from "./proxy.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** A line through a proxy: both of its ends, and what the far end has received. */
async function openLine() {
  const target = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const proxy = await FaultProxy.listen(target.addr.port);
  const near = await Deno.connect({ hostname: "127.0.0.1", port: proxy.port });
  const far = await target.accept();
  return { target, proxy, near, far };
}

type Line = Awaited<ReturnType<typeof openLine>>;

async function closeLine({ target, proxy, near, far }: Line): Promise<void> {
  near.close();
  far.close();
  target.close();
  await proxy.close();
}

/** How long the next bytes are waited for, in milliseconds. */
const PATIENCE_MS = 3_000;

/** The next bytes as text, `end` at the end of the stream, `reset`, or `nothing` within the time. */
async function next(connection: Deno.TcpConn): Promise<string> {
  const buffer = new Uint8Array(1000);
  const read = connection.read(buffer).then(
    (count) =>
      count === null
        ? "end"
        : new TextDecoder().decode(buffer.subarray(0, count)),
    () => "reset",
  );
  let timer: ReturnType<typeof setTimeout> | undefined;
  const nothing = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve("nothing"), PATIENCE_MS);
  });
  const outcome = await Promise.race([read, nothing]);
  clearTimeout(timer);
  return outcome;
}

Deno.test("FaultProxy passes bytes on in both directions", async () => {
  const line = await openLine();
  await line.near.write(bytes("up"));
  assert.equal(await next(line.far), "up");
  await line.far.write(bytes("down"));
  assert.equal(await next(line.near), "down");
  await closeLine(line);
});

Deno.test("ProxiedLine keeps what it holds and delivers it in order, also when the sender is gone", async () => {
  const line = await openLine();
  const [proxied] = line.proxy.lines;
  proxied!.setMode("hold");
  await line.near.write(bytes("one "));
  await line.near.write(bytes("two"));
  await line.near.closeWrite();
  await until("all is held", () => proxied!.up.taken.isEnded);
  proxied!.setMode("pass");
  assert.equal(await next(line.far), "one two");
  assert.equal(await next(line.far), "end");
  await closeLine(line);
});

Deno.test("ProxiedLine.abandon() resets the client and delivers late what it had sent", async () => {
  const line = await openLine();
  const [proxied] = line.proxy.lines;
  proxied!.up.setMode("hold");
  await line.near.write(bytes("late"));
  // Only what is there can be held.
  await until("it is held", () => proxied!.up.taken.bytes === 4);
  proxied!.abandon(60);
  assert.equal(await next(line.near), "reset");
  assert.equal(await next(line.far), "late");
  assert.equal(await next(line.far), "end");
  await closeLine(line);
});

Deno.test("ProxiedLine.cut() resets both ends", async () => {
  const line = await openLine();
  await line.near.write(bytes("up"));
  assert.equal(await next(line.far), "up");
  line.proxy.cutAll("reset");
  assert.equal(await next(line.near), "reset");
  assert.equal(await next(line.far), "reset");
  assert.equal(line.proxy.lines.length, 0);
  await closeLine(line);
});

Deno.test("a pipe that discards loses bytes without a sign", async () => {
  const line = await openLine();
  const [proxied] = line.proxy.lines;
  proxied!.up.setMode("discard");
  await line.near.write(bytes("lost"));
  await until("it is discarded", () => proxied!.up.taken.bytes === 4);
  proxied!.up.setMode("pass");
  await line.near.write(bytes("kept"));
  assert.equal(await next(line.far), "kept");
  await closeLine(line);
});

Deno.test("a pipe that stalls lets the sender's buffers fill", async () => {
  const line = await openLine();
  const [proxied] = line.proxy.lines;
  proxied!.up.setMode("stall");
  const chunk = new Uint8Array(1_000_000);
  let isWritten = false;
  const write = async () => {
    for (let n = 0; n < 100; n++) await line.near.write(chunk);
    isWritten = true;
  };
  const writing = write().catch(() => {});
  // Another line of the proxy takes what was written after that.
  const { port } = line.proxy;
  const other = await Deno.connect({ hostname: "127.0.0.1", port });
  const otherEnd = await line.target.accept();
  await other.write(bytes("later"));
  assert.equal(await next(otherEnd), "later");
  assert.ok(proxied!.up.taken.bytes < 30_000_000);
  assert.equal(isWritten, false, "100 MB went into a line nobody reads");
  line.proxy.cutAll("reset");
  await writing;
  other.close();
  otherEnd.close();
  await closeLine(line);
});

Deno.test("FaultProxy.setDelay() makes bytes late and keeps their order", async () => {
  const line = await openLine();
  line.proxy.setDelay(50);
  const sentAt = performance.now();
  await line.near.write(bytes("slow"));
  assert.equal(await next(line.far), "slow");
  assert.ok(performance.now() - sentAt >= 45);
  await closeLine(line);
});

Deno.test("FaultProxy.refuse() turns who comes away until it is healed", async () => {
  const line = await openLine();
  line.proxy.refuse(true);
  const connect = () =>
    Deno.connect({ hostname: "127.0.0.1", port: line.proxy.port });
  // The reset may come before or after the runtime has seen the connection.
  const refused = await connect().catch(() => undefined);
  if (refused !== undefined) {
    assert.equal(await next(refused), "reset");
    refused.close();
  }
  line.proxy.heal();
  const accepted = await connect();
  const end = await line.target.accept();
  await accepted.write(bytes("up"));
  assert.equal(await next(end), "up");
  accepted.close();
  end.close();
  await closeLine(line);
});
