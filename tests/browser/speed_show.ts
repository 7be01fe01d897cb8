/**
 * How quick the page is, in Chromium's own figures. They are printed; what is asserted is far above
 * them, because the machine that runs this has other work.
 */

import assert from "node:assert/strict";
import type { Browser, Page } from "playwright-core";
import { useTestApp } from "../helpers/app.ts";
import {
  createRoom,
  joinRoom,
  type Person,
  signIn,
} from "../helpers/people.ts";
import { journey, tell } from "./chat_page.ts";
import { fillRoom, LONG_ROOMS } from "./long_rooms.ts";

const app = useTestApp(LONG_ROOMS);

/** What no figure may reach, in milliseconds: so slow only a fault makes it, or a machine at its end. */
const FAR_TOO_SLOW_MS = 1_000;

/** Time for the browser to come to rest, in milliseconds. */
const SETTLE_MS = 3_000;

/** A phone on a slow 4G line: bytes per second and the delay of an answer in milliseconds. */
const SLOW_4G = { throughput: 1.6e6 / 8, latency: 150 };

const fill = (person: Person, roomId: string, count: number) =>
  fillRoom(app, person, roomId, { count });

interface TraceEvent {
  name: string;
  pid: number;
  tid: number;
  /** Microseconds. */
  dur?: number;
  args: { name?: string };
}

/** The longest tasks of the pages' main threads while `run` runs, in milliseconds, longest first. */
async function tasksOf(
  browser: Browser,
  page: Page,
  run: () => Promise<void>,
): Promise<number[]> {
  await browser.startTracing(page, {
    categories: ["toplevel", "disabled-by-default-devtools.timeline"],
  });
  await run();
  const trace = new TextDecoder().decode(await browser.stopTracing());
  const { traceEvents }: { traceEvents: TraceEvent[] } = JSON.parse(trace);
  const mains = new Set(
    traceEvents.filter(({ name, args }) =>
      name === "thread_name" && args.name === "CrRendererMain"
    ).map(({ pid, tid }) => `${pid}.${tid}`),
  );
  const tasks = traceEvents.filter(({ name, pid, tid }) =>
    /RunTask$/.test(name) && mains.has(`${pid}.${tid}`)
  );
  assert.ok(tasks.length > 0, "the trace tells about tasks");
  return tasks.map(({ dur = 0 }) => Math.round(dur / 100) / 10).sort((a, b) =>
    b - a
  );
}

Deno.test("a room of 10,000 messages takes a burst of 100, keys and a change of room without delay", async () => {
  await journey("long room", app, async (visit) => {
    const { chat, person, context } = await visit("ada_long");
    const { page } = chat;
    const bob = await signIn(app, "bob_long");
    const room = await createRoom(person, "Long room");
    const other = await createRoom(person, "Short room");
    await joinRoom(bob, room.id);
    await chat.open(`/rooms/${room.id}`);
    await fill(bob, room.id, 10_000);
    await chat.sees("line 10000");
    assert.ok((await chat.texts()).length <= 150);

    // The last of those pictures are still being put on the screen: there is no graphics card here.
    await page.waitForTimeout(SETTLE_MS);
    await page.evaluate(() => {
      const seen = globalThis as unknown as { keys: number[] };
      seen.keys = [];
      // A task after the frame's own: the picture is drawn, with what the key has changed.
      addEventListener(
        "keydown",
        ({ timeStamp }) =>
          requestAnimationFrame(() =>
            setTimeout(() => seen.keys.push(performance.now() - timeStamp))
          ),
        true,
      );
    });
    await chat.box.pressSequentially("x".repeat(50), { delay: 20 });
    await chat.box.press("Enter");
    await chat.sees("x".repeat(50));
    const keys = await page.evaluate(() =>
      (globalThis as unknown as { keys: number[] }).keys.sort((a, b) => a - b)
    );
    assert.equal(keys.length, 51);
    tell(
      "key to picture with 10,000 messages, ms: median, slowest of 51",
      [keys[25], keys[50]].map((ms) => Math.round(ms ?? 0)).join(", "),
    );
    assert.ok((keys[50] ?? 0) < FAR_TOO_SLOW_MS);

    const switched = [];
    for (
      const [name, text] of [[/^Short room/, "Nothing"], [/^Long room/, "xxx"]]
    ) {
      await page.getByRole("link", { name: name ?? "" }).hover();
      await page.evaluate(() => {
        const seen = globalThis as unknown as { shown: Promise<number> };
        seen.shown = new Promise((resolve) =>
          addEventListener(
            "click",
            ({ timeStamp }) =>
              requestAnimationFrame(() =>
                setTimeout(() => resolve(performance.now() - timeStamp))
              ),
            { once: true },
          )
        );
      });
      await page.getByRole("link", { name: name ?? "" }).click();
      switched.push(
        await page.evaluate(() =>
          (globalThis as unknown as { shown: Promise<number> }).shown
        ),
      );
      await chat.log.getByText(text ?? "").first().waitFor();
    }
    tell("change of room and back, ms", switched.map(Math.round).join(", "));
    assert.ok(Math.max(...switched) < FAR_TOO_SLOW_MS);
    const browser = context.browser();
    assert.ok(browser);
    const tasks = await tasksOf(browser, page, async () => {
      await fill(bob, room.id, 100);
      await chat.sees("line 100");
    });
    tell(
      "longest tasks in a burst of 100 messages, ms",
      tasks.slice(0, 5).join(", "),
    );
    assert.ok((tasks[0] ?? 0) < FAR_TOO_SLOW_MS);
    assert.ok(page.url().endsWith(room.id) && other.id !== room.id);
  });
});

Deno.test("on a slow line the messages are there before the scripts", async () => {
  await journey("slow line", app, async (visit) => {
    const { chat, person, context } = await visit("ada_slow");
    const room = await createRoom(person, "Slow line");
    await fill(person, room.id, 60);
    const session = await context.newCDPSession(chat.page);
    await session.send("Network.enable");
    await session.send("Network.emulateNetworkConditions", {
      offline: false,
      latency: SLOW_4G.latency,
      downloadThroughput: SLOW_4G.throughput,
      uploadThroughput: SLOW_4G.throughput,
    });
    await chat.page.addInitScript(() => {
      const seen = globalThis as unknown as { largest: number };
      new PerformanceObserver((list) => {
        seen.largest = list.getEntries().at(-1)?.startTime ?? 0;
      }).observe({ type: "largest-contentful-paint", buffered: true });
    });
    await chat.open(`/rooms/${room.id}`);
    await chat.sees("line 60");
    const { first, largest, bytes } = await chat.page.evaluate(() => ({
      first: performance.getEntriesByName("first-contentful-paint")[0]
        ?.startTime ?? 0,
      largest: (globalThis as unknown as { largest: number }).largest,
      bytes: [
        ...performance.getEntriesByType("navigation"),
        ...performance.getEntriesByType("resource"),
      ].reduce(
        (sum, entry) => sum + (entry as PerformanceResourceTiming).transferSize,
        0,
      ),
    }));
    tell("slow 4G, first picture, ms", Math.round(first));
    tell("slow 4G, largest part of it, ms", Math.round(largest));
    tell("all that the page loads, bytes", bytes);
    assert.ok(first > 0 && largest < 4 * FAR_TOO_SLOW_MS);
    assert.ok(bytes < 100_000, `${bytes} bytes`);
  });
});
