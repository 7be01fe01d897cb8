/** Runs one entry: a fresh server, the people it needs, a load process. */

import { type BenchPostgres, populate, type Population } from "./database.ts";
import type { Entry } from "./entries.ts";
import type { Job, Metrics } from "./load/job.ts";
import { mostExpensive } from "./profile.ts";
import { startTarget, type Target } from "./targets.ts";

export interface Timing {
  readonly warmupSeconds: number;
  readonly seconds: number;
}

export interface Surroundings {
  readonly postgres: BenchPostgres;
  readonly timing: Timing;
  /** Another checkout, for the target `against`. */
  readonly against: string | undefined;
  /** Figures of this run's entries so far, by key. */
  readonly earlier: ReadonlyMap<string, Metrics>;
  /** Told where a Deno server has spent its time; not looked at when unset. */
  readonly profile: ((text: string) => void) | undefined;
}

export async function measure(
  entry: Entry,
  surroundings: Surroundings,
): Promise<Metrics> {
  const { profile } = surroundings;
  if (profile === undefined) return await measureOn(entry, surroundings);
  const folder = await Deno.makeTempDir({ prefix: "chatket-profile-" });
  try {
    const metrics = await measureOn(entry, surroundings, folder);
    profile(await mostExpensive(folder));
    return metrics;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function measureOn(
  entry: Entry,
  surroundings: Surroundings,
  profileFolder?: string,
): Promise<Metrics> {
  const { postgres } = surroundings;
  await using target = await startTarget(
    entry.target,
    postgres,
    surroundings.against,
    profileFolder,
  );
  const population = target.databaseUrl === undefined
    ? strangers(entry.population)
    : await populate(target.databaseUrl, entry.population);
  await postgres.countStatements();
  const metrics = await runLoad(jobOf(entry, target, population, surroundings));
  return {
    ...metrics,
    statementsPerPerson: await postgres.countStatements() /
      entry.population.people,
  };
}

/** People of a server that asks nobody who they are. */
function strangers(wanted: { people: number; rooms: number }): Population {
  const ids = (count: number) =>
    Array.from({ length: count }, () => crypto.randomUUID());
  return {
    people: ids(wanted.people).map((id) => ({ id, username: id, token: id })),
    rooms: ids(wanted.rooms),
    position: { lastSeq: 0 },
  };
}

function jobOf(
  entry: Entry,
  target: Target,
  { people, rooms, position }: Population,
  { postgres, timing, earlier }: Surroundings,
): Job {
  const { paths, ...job } = entry.job;
  return {
    senders: 0,
    inFlight: 0,
    ...timing,
    ...job,
    rate: entry.rateOf === undefined
      ? job.rate
      : earlier.get(entry.rateOf)?.ackedPerSecond,
    ports: target.processes.map(({ port }) => port),
    serverPids: target.processes.map(({ pid }) => pid),
    redisPid: target.redisPid,
    postgresPid: target.databaseUrl === undefined ? undefined : postgres.pid,
    people,
    rooms,
    position,
    paths: paths && Object.fromEntries(
      Object.entries(paths).map(([name, path]) => [
        name,
        path.replace("ROOM", rooms[0]!),
      ]),
    ),
  };
}

async function runLoad(job: Job): Promise<Metrics> {
  const load = new URL("load/main.ts", import.meta.url).pathname;
  const child = new Deno.Command("sh", {
    args: [
      "-c",
      'ulimit -n "$(ulimit -Hn)"; exec "$@"',
      ...["sh", Deno.execPath(), "run", "-A", load],
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const input = child.stdin.getWriter();
  await input.write(new TextEncoder().encode(JSON.stringify(job)));
  await input.close();
  const { success, stdout } = await child.output();
  if (!success) throw new Error("the load process failed");
  return JSON.parse(new TextDecoder().decode(stdout));
}
