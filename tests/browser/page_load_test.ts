/** What Chromium itself says about a page that loads: nothing jumps, and nobody else is asked. */

import assert from "node:assert/strict";
import { useTestApp } from "../helpers/app.ts";
import { connect } from "../helpers/client.ts";
import { createRoom, joinRoom, signIn } from "../helpers/people.ts";
import { journey, tell } from "./chat_page.ts";

const app = useTestApp({ RATE_LIMIT_MESSAGES: "100" });

/** Time for what is drawn late to move something, in milliseconds. */
const SETTLE_MS = 700;

interface TraceEvent {
  name: string;
  args: { data?: { had_recent_input?: boolean } };
}

Deno.test("pages load without moving anything and without a request to another host", async () => {
  await journey("page load", app, async (visit) => {
    const { chat, person, context } = await visit("ada_load");
    const bob = await signIn(app, "bob_load");
    const room = await createRoom(person, "Loading");
    await joinRoom(bob, room.id);
    await using client = await connect(app, bob);
    for (let line = 1; line <= 60; line++) {
      await client.expect("message:send", {
        roomId: room.id,
        text: `line ${line} 🍅`,
        clientMsgId: crypto.randomUUID(),
      });
    }
    const hosts = new Set<string>();
    context.on("request", (request) => hosts.add(new URL(request.url()).host));
    chat.page.on("websocket", (line) => hosts.add(new URL(line.url()).host));
    const browser = context.browser();
    assert.ok(browser);
    const shifts: string[] = [];
    for (
      const path of [`/rooms/${room.id}`, "/", "/discover", "/login"]
    ) {
      if (path === "/login") await context.clearCookies();
      for (const width of [360, 1440]) {
        await chat.page.setViewportSize({ width, height: 800 });
        await browser.startTracing(chat.page, {
          categories: ["loading", "devtools.timeline"],
        });
        await chat.page.goto(app.origin + path);
        if (path !== "/login") await chat.live();
        await chat.page.waitForTimeout(SETTLE_MS);
        const trace = new TextDecoder().decode(await browser.stopTracing());
        const { traceEvents }: { traceEvents: TraceEvent[] } = JSON.parse(
          trace,
        );
        assert.ok(
          traceEvents.some(({ name }) => name === "Layout"),
          "the trace tells about layout",
        );
        for (const { name, args } of traceEvents) {
          // Moves that follow a new window size, which counts as input, are the old page's own.
          if (name !== "LayoutShift" || args.data?.had_recent_input) continue;
          shifts.push(`${path} at ${width}: ${JSON.stringify(args.data)}`);
        }
      }
    }
    tell("layout shifts in eight page loads", shifts.length);
    assert.deepEqual(shifts, []);
    assert.deepEqual([...hosts], [new URL(app.origin).host]);
  });
});
