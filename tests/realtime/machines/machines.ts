/** Several servers that are one chat, on one PostgreSQL database and a Redis of their own. */

import { FaultProxy } from "../../faults/proxy.ts";
import {
  type EnvOverrides,
  startTestApp,
  type TestApp,
  type TestAppOptions,
} from "../../helpers/app.ts";
import { makeMigratedPlace, type TestPlace } from "../../helpers/database.ts";
import { METRICS_TOKEN } from "../../helpers/metrics.ts";
import { type Person, type Served, signIn } from "../../helpers/people.ts";
import {
  redisMissing,
  type RedisServer,
  startRedis,
} from "../../helpers/redis.ts";
import { until } from "../../helpers/rooms.ts";

/** Why these tests cannot be run here, or undefined. */
export const missing: string | undefined = await redisMissing();

/** One server, and the way from it to Redis. */
export interface Machine extends Served {
  readonly port: number;
  readonly wayToRedis: FaultProxy;
  /** Ends it as SIGTERM does. */
  stop(): Promise<void>;
}

export interface Machines extends AsyncDisposable {
  readonly all: readonly [Machine, Machine, ...Machine[]];
  readonly redis: RedisServer;
  readonly place: TestPlace;
  /** The environment of one more server of this chat. */
  readonly env: EnvOverrides;
  /** Starts one more server of this chat. */
  add(): Promise<Machine>;
  /** Does not count one that was stopped any more. */
  forget(machine: Machine): void;
  /** Resolves when every machine says that Redis is there, or away. */
  broker(state: "ok" | "away"): Promise<void>;
}

/** Starts servers that share a database and a Redis; resolves when they are one chat. */
export async function startMachines(
  count: number,
  overrides: EnvOverrides = {},
  start: TestAppOptions["start"] = {},
): Promise<Machines> {
  const stack = new AsyncDisposableStack();
  try {
    const place = stack.use(await makeMigratedPlace("postgres"));
    const redis = stack.use(await startRedis());
    const env: EnvOverrides = {
      JWT_SECRET: "a secret that the machines of these tests share",
      METRICS_TOKEN,
      REDIS_URL: redis.url,
      ...overrides,
    };
    const all: Machine[] = [];
    const add = async () => {
      const wayToRedis = await FaultProxy.listen(redis.port);
      stack.defer(() => wayToRedis.close());
      const url = `redis://127.0.0.1:${wayToRedis.port}`;
      const app: TestApp = stack.use(
        await startTestApp({ ...env, REDIS_URL: url }, { place, start }),
      );
      const { origin, port, idle, stop } = app;
      const machine = { origin, port, idle, stop, wayToRedis };
      all.push(machine);
      return machine;
    };
    for (let number = 0; number < count; number++) await add();
    const machines: Machines = {
      all: all as unknown as Machines["all"],
      ...{ redis, place, env, add },
      forget: (machine) => void all.splice(all.indexOf(machine), 1),
      async broker(state) {
        await until(
          `the broker is ${state} everywhere`,
          async () => {
            const states = await Promise.all(all.map(brokerOf));
            return states.every((each) => each === state);
          },
        );
      },
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    };
    await machines.broker("ok");
    return machines;
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

/** Machines for all tests of the calling file, started before the first and gone after the last. */
export function useMachines(
  count: number,
  overrides: EnvOverrides = {},
): Machines {
  let running: Machines | undefined;
  Deno.test.beforeAll(async () => {
    if (missing === undefined) running = await startMachines(count, overrides);
  });
  Deno.test.afterAll(async () => await running?.[Symbol.asyncDispose]());
  const machines = () => {
    if (running === undefined) throw new Error("no machines outside of a test");
    return running;
  };
  return {
    get all() {
      return machines().all;
    },
    get redis() {
      return machines().redis;
    },
    get place() {
      return machines().place;
    },
    get env() {
      return machines().env;
    },
    add: () => machines().add(),
    forget: (machine) => machines().forget(machine),
    broker: (state) => machines().broker(state),
    [Symbol.asyncDispose]: () => machines()[Symbol.asyncDispose](),
  };
}

/** What a server's `/ready` says of its Redis; the server must be ready. */
export async function brokerOf({ origin }: Served): Promise<unknown> {
  const answer = await fetch(`${origin}/ready`);
  const body = await answer.json();
  if (answer.status !== 200) throw new Error(JSON.stringify(body));
  return body.backbone;
}

/** A person as another machine sees them: the same session. */
export function at(machine: Served, person: Person): Person {
  const seen: Person = {
    ...person,
    fetch: (path, { json, ...init } = {}) => {
      const headers = new Headers(init.headers);
      headers.set("authorization", `Bearer ${person.token}`);
      if (json !== undefined) headers.set("content-type", "application/json");
      return fetch(machine.origin + path, {
        ...init,
        headers,
        ...json === undefined ? {} : { body: JSON.stringify(json) },
      });
    },
    getJson: async (path) => {
      const answer = await seen.fetch(path);
      if (!answer.ok) throw new Error(await answer.text());
      return await answer.json();
    },
  };
  return seen;
}

/** Another session of a user, begun on a machine. */
export function signInAgain(
  machine: Served,
  { user }: Person,
): Promise<Person> {
  return signIn(machine, user.username);
}

/** Where a machine shows a member: `online`, `offline`, or undefined when they are no member. */
export async function statusOf(
  machine: Served,
  reader: Person,
  roomId: string,
  person: Person,
): Promise<string | undefined> {
  const members = await at(machine, reader).getJson<
    { id: string; status: string }[]
  >(`/api/rooms/${roomId}/members`);
  return members.find(({ id }) => id === person.user.id)?.status;
}
