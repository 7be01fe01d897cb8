/** What is measured: each entry is one load on one server. */

import type { Job } from "./load/job.ts";
import type { TargetName } from "./targets.ts";

export interface Entry {
  /** Names the entry in results: its scenario and the server, with what distinguishes it. */
  readonly key: string;
  readonly scenario: number;
  readonly target: TargetName;
  readonly population: {
    readonly people: number;
    readonly rooms: number;
    readonly messages: number;
    readonly missed: number;
  };
  readonly job: Pick<Job, "scenario"> & Partial<Job>;
  /** The rate of messages is what this other entry has reached in the same run. */
  readonly rateOf?: string;
}

/** One room of people who talk. */
const room = (people: number) => ({ people, rooms: 1, messages: 0, missed: 0 });

const CLOSED_LOOP = { scenario: "talk", senders: 20, inFlight: 1 } as const;
const SATURATED = { scenario: "talk", senders: 20, inFlight: 50 } as const;
const READERS = 500;
const PACED = { scenario: "talk", senders: 1, rate: 100 } as const;

const IDLE = 5_000;
const LARGE_ROOM = 500;

const STORM = { people: 1_000, rooms: 20, messages: 150, missed: 50 };

/** Processes that are measured together. */
const JOINED = [1, 2, 4] as const;

const SERVERS = ["chatket", "against", "plain"] as const;

export const ENTRIES: readonly Entry[] = [
  ...SERVERS.flatMap((target): Entry[] => [
    {
      key: `1 ${target}`,
      scenario: 1,
      target,
      population: room(20),
      job: CLOSED_LOOP,
    },
    {
      key: `2 ${target}`,
      scenario: 2,
      target,
      population: room(20),
      job: SATURATED,
    },
    {
      key: `3 ${target}`,
      scenario: 3,
      target,
      population: room(200),
      job: SATURATED,
    },
    {
      key: `4 ${target}`,
      scenario: 4,
      target,
      population: room(READERS + 1),
      job: PACED,
    },
    {
      key: `5 ${target}`,
      scenario: 5,
      target,
      population: { ...room(IDLE), rooms: 0 },
      job: { scenario: "crowd" },
    },
  ]),
  {
    key: "2 gathered",
    scenario: 2,
    target: "gathered",
    population: room(20),
    job: SATURATED,
  },
  {
    key: "3 gathered",
    scenario: 3,
    target: "gathered",
    population: room(200),
    job: SATURATED,
  },
  {
    key: "3 gathered at our rate",
    scenario: 3,
    target: "gathered",
    population: room(200),
    job: SATURATED,
    rateOf: "3 chatket",
  },
  ...(["chatket", "against"] as const).flatMap((target): Entry[] => [
    {
      key: `6 ${target}`,
      scenario: 6,
      target,
      population: room(LARGE_ROOM),
      job: { scenario: "crowd" },
    },
    {
      key: `7 ${target}`,
      scenario: 7,
      target,
      population: STORM,
      job: { scenario: "storm", missed: STORM.missed },
    },
  ]),
  {
    key: "6 chatket 5000",
    scenario: 6,
    target: "chatket",
    population: room(IDLE),
    job: { scenario: "crowd" },
  },
  ...(["chatket", "against"] as const).map((target): Entry => ({
    key: `8 ${target}`,
    scenario: 8,
    target,
    population: { people: 20, rooms: 1, messages: 50, missed: 0 },
    job: {
      scenario: "page",
      paths: {
        page: "/rooms/ROOM",
        history: "/api/rooms/ROOM/messages?limit=50",
      },
    },
  })),
  {
    key: "8 plain",
    scenario: 8,
    target: "plain",
    population: room(1),
    job: { scenario: "page", paths: { page: "/" } },
  },
  ...([[9, CLOSED_LOOP], [10, SATURATED]] as const).flatMap((
    [scenario, job],
  ): Entry[] => [
    {
      key: `${scenario} alone`,
      scenario,
      target: "chatket",
      population: room(20),
      job,
    },
    ...JOINED.map((count): Entry => ({
      key: `${scenario} joined ${count}`,
      scenario,
      target: `joined ${count}`,
      population: room(20),
      job,
    })),
  ]),
];
