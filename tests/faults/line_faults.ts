/** What can happen to one client and its line. Each fault ends by itself, at the latest with the round. */

import { BrowserClient } from "./browser_client.ts";
import type { History } from "./history.ts";
import type { Random } from "./random.ts";
import { RawClient } from "./raw_client.ts";

export type Client = RawClient | BrowserClient;

/** More messages than one sync replays must be missed in an absence, but not for longer than this, in milliseconds. */
const ABSENCE_LIMIT_MS = 8_000;

export interface LineFaultParts {
  readonly random: Random;
  readonly history: History;
  /** The room most messages go to. */
  readonly busyRoomId: string;
  /** Waits so many milliseconds, or until the round ends. */
  readonly pause: (ms: number) => Promise<void>;
  /** Whether the round has ended: all is to be mended now. */
  readonly isOver: () => boolean;
}

type LineFault = (
  client: Client,
  parts: LineFaultParts,
) => Promise<void> | void;

export const LINE_FAULTS: Readonly<Record<string, LineFault>> = {
  "line reset": (client) => client.proxy.cutAll("reset"),

  "line closed": (client) => client.proxy.cutAll("close"),

  "line frozen": async (client, { random, pause }) => {
    client.proxy.setMode("hold");
    await pause(random.int(100, 4_000));
    client.proxy.setMode("pass");
  },

  "line slow": async (client, { random, pause }) => {
    client.proxy.setDelay(random.int(20, 300));
    await pause(random.int(500, 3_000));
    client.proxy.setDelay(0);
  },

  "half open, nothing goes up": async (client, { random, pause }) => {
    const { proxiedLines } = client;
    for (const line of proxiedLines) line.up.setMode("discard");
    await pause(random.int(300, 4_000));
    for (const line of proxiedLines) line.cut("reset");
  },

  "half open, nothing comes down": async (client, { random, pause }) => {
    const { proxiedLines } = client;
    for (const line of proxiedLines) line.down.setMode("discard");
    await pause(random.int(300, 4_000));
    for (const line of proxiedLines) line.cut("reset");
  },

  "frames arrive after the line is gone": async (client, { random, pause }) => {
    for (const line of client.proxiedLines) line.up.setMode("hold");
    await pause(random.int(20, 300));
    for (const line of client.proxiedLines) line.abandon(random.int(50, 2_500));
  },

  "connections refused": async (client, { random, pause }) => {
    client.proxy.refuse(true);
    client.proxy.cutAll("reset");
    await pause(random.int(200, 3_000));
    client.proxy.refuse(false);
  },

  "long absence": async (
    client,
    { random, history, busyRoomId, pause, isOver },
  ) => {
    client.goAway();
    const until = history.newest(busyRoomId) + random.int(105, 280);
    const deadline = Date.now() + ABSENCE_LIMIT_MS;
    while (
      history.newest(busyRoomId) < until && Date.now() < deadline && !isOver()
    ) {
      await pause(50);
    }
    client.connect();
  },

  "two lines at once": async (client, { random, pause }) => {
    const ms = random.int(50, 2_000);
    if (client instanceof RawClient) client.connectAgain(ms);
    else client.networkLost();
    await pause(ms);
    if (client instanceof BrowserClient) client.wake();
  },

  "client does not read": async (client, { random, pause }) => {
    for (const line of client.proxiedLines) line.down.setMode("stall");
    if (client instanceof RawClient) client.askForMuch(random.int(5, 30));
    await pause(random.int(500, 4_000));
    for (const line of client.proxiedLines) line.down.setMode("pass");
  },

  "WebSockets blocked": async (client, { random, pause }) => {
    if (!(client instanceof BrowserClient)) {
      return client.proxy.cutAll("reset");
    }
    client.blockWebSockets(true);
    client.proxy.cutAll("reset");
    await pause(random.int(2_000, 5_000));
    client.blockWebSockets(false);
    client.wake();
  },

  "page reloaded": async (client) => {
    if (client instanceof BrowserClient) await client.load();
    else client.proxy.cutAll("close");
  },
};
