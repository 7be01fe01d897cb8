/** What an app tells about itself at `/metrics`. */

import type { Served } from "./people.ts";
import { until } from "./rooms.ts";

/** Opens `/metrics` of apps that are started with it as `METRICS_TOKEN`. */
export const METRICS_TOKEN = "opens-the-metrics-of-tests";

/** The value of a metric without labels; undefined when the app does not have it. */
export async function metricOf(
  { origin }: Served,
  name: string,
): Promise<number | undefined> {
  const answer = await fetch(`${origin}/metrics`, {
    headers: { authorization: `Bearer ${METRICS_TOKEN}` },
  });
  const value = new RegExp(`^${name} (\\S+)$`, "m").exec(await answer.text());
  return value === null ? undefined : Number(value[1]);
}

/** Runs what ends one connection, and resolves when the app knows of it: a client that has closed is ahead of it. */
export async function untilClosed(
  app: Served,
  close: () => Promise<unknown>,
): Promise<void> {
  const open = () => metricOf(app, "chatket_connections");
  const before = await open() ?? NaN;
  await close();
  await until(
    "the app has closed it, too",
    async () => (await open() ?? NaN) < before,
  );
}
