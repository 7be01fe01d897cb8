/** The real application on a database of its own. */

import { type Config, CONFIG_VARIABLES, loadConfig } from "../../config.ts";
import { type RunningApp, start } from "../../main.ts";
import { type Engine, makeMigratedPlace, type TestPlace } from "./database.ts";
import { watchTimers } from "./idle.ts";

/** Overrides of environment variables; undefined unsets one that tests set. */
export type EnvOverrides = Partial<
  Record<typeof CONFIG_VARIABLES[number], string | undefined>
>;

/** Overrides for tests that send much: the limits of messages and frames are not their subject. */
export const UNLIMITED: EnvOverrides = {
  RATE_LIMIT_MESSAGES: "100000",
  FRAME_LIMIT_BURST: "10000",
};

type StartOptions = NonNullable<Parameters<typeof start>[1]>;

export interface TestAppOptions {
  readonly engine?: Engine;
  /** Where to start; the place stays when the app stops. Made and removed with the app by default. */
  readonly place?: TestPlace;
  /** Passed on to `start()` of main.ts. */
  readonly start?: StartOptions;
}

export interface TestApp extends AsyncDisposable {
  /** `http://127.0.0.1:port` */
  readonly origin: string;
  readonly port: number;
  readonly config: Config;
  readonly place: TestPlace;
  /**
   * Resolves when the app has done all that it was asked for so far, and all that it had put off for
   * less than a second. What it sent then is on its way.
   */
  idle(): Promise<void>;
  /** Stops the app as SIGTERM does. What it stored stays until the app is disposed of. */
  stop(): Promise<void>;
}

/** Boots the app on a free loopback port with what tests want: no auth limits, codes in the answer. */
export async function startTestApp(
  overrides: EnvOverrides = {},
  options: TestAppOptions = {},
): Promise<TestApp> {
  const place = options.place ?? await makeMigratedPlace(options.engine);
  const removePlace = async () => {
    if (options.place === undefined) await place[Symbol.asyncDispose]();
  };
  const timers = watchTimers(options.start?.timers);
  let app: RunningApp;
  let config: Config;
  try {
    config = loadConfig({
      HOST: "127.0.0.1",
      PORT: "0",
      AUTH_RATE_LIMIT: "off",
      ROOMS_PER_HOUR: "1000000",
      REST_LIMIT_PER_MINUTE: "1000000",
      LOG_LEVEL: "error",
      CODE_DELIVERY: "response",
      ...place.env,
      ...overrides,
    });
    app = await start(config, { ...options.start, timers });
  } catch (error) {
    await removePlace();
    throw error;
  }
  const origin = `http://127.0.0.1:${app.port}`;
  let stopped: Promise<void> | undefined;
  const stop = () => stopped ??= app.stop();
  return {
    origin,
    port: app.port,
    config,
    place,
    async idle() {
      do {
        await timers.idle();
        // The database answers in turn: what was asked of it before is done.
        await (await fetch(`${origin}/ready`)).body?.cancel();
      } while (timers.pending > 0);
    },
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
      await removePlace();
    },
  };
}

/** One app for all tests of the calling file, started before the first and gone after the last. */
export function useTestApp(
  overrides: EnvOverrides = {},
  options: TestAppOptions = {},
): TestApp {
  let running: TestApp | undefined;
  Deno.test.beforeAll(async () => {
    running = await startTestApp(overrides, options);
  });
  Deno.test.afterAll(async () => await running?.[Symbol.asyncDispose]());
  const app = () => {
    if (running === undefined) throw new Error("no app outside of a test");
    return running;
  };
  return {
    get origin() {
      return app().origin;
    },
    get port() {
      return app().port;
    },
    get config() {
      return app().config;
    },
    get place() {
      return app().place;
    },
    idle: () => app().idle(),
    stop: () => app().stop(),
    [Symbol.asyncDispose]: () => app()[Symbol.asyncDispose](),
  };
}
