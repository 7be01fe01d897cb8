/** Rooms with many messages, and where a reader stands in them. */

import type { Page } from "playwright-core";
import { connect } from "../helpers/client.ts";
import type { Person, Served } from "../helpers/people.ts";

/** Settings of an app whose rooms are filled by {@link fillRoom}. */
export const LONG_ROOMS = {
  RATE_LIMIT_MESSAGES: "100000",
  FRAME_LIMIT_BURST: "20000",
};

/** Fills a room with "line 1", "line 2" … */
export async function fillRoom(
  app: Served,
  person: Person,
  roomId: string,
  { count, from = 1 }: { count: number; from?: number },
): Promise<void> {
  await using client = await connect(app, person);
  for (let line = from; line < from + count; line += 200) {
    const batch = Array.from(
      { length: Math.min(200, from + count - line) },
      (_, index) => line + index,
    );
    await Promise.all(batch.map((number) =>
      client.expect("message:send", {
        roomId,
        text: `line ${number}`,
        clientMsgId: crypto.randomUUID(),
      })
    ));
  }
}

/** Scrolls the log up by so many pixels, as a wheel would. */
export async function scrollUp(page: Page, pixels: number): Promise<void> {
  await page.locator(".log").evaluate(
    (log, by) => log.scrollBy(0, -by),
    pixels,
  );
  await page.evaluate(() =>
    new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)))
  );
}

/** The message at the top of the view and where it stands. */
export function firstVisible(
  page: Page,
): Promise<{ text: string; top: number }> {
  return page.locator(".log").evaluate((log) => {
    const { top } = log.getBoundingClientRect();
    const rows = [...log.querySelectorAll(".message")];
    const row = rows.find((row) =>
      row.getBoundingClientRect().bottom > top + 1
    );
    return {
      text: row?.querySelector(".bubble")?.textContent ?? "",
      top: Math.round(row?.getBoundingClientRect().top ?? 0),
    };
  });
}

/** How far the log is scrolled: 0 at the end, negative above it, in pixels. */
export function scrollTop(page: Page): Promise<number> {
  return page.locator(".log").evaluate((log) => log.scrollTop);
}
