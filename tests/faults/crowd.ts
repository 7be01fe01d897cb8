/** Who takes part in a fault run: users, the rooms they are in, and their clients. */

import type { Person } from "../helpers/people.ts";
import type { TestCluster } from "./test_cluster.ts";
import { BrowserClient } from "./browser_client.ts";
import type { History } from "./history.ts";
import type { Client } from "./line_faults.ts";
import type { Random } from "./random.ts";
import { RawClient } from "./raw_client.ts";

const RAW_CLIENTS = 6;
const BROWSER_CLIENTS = 4;
const ROOMS = 3;

/** Users are fewer than clients: some have two devices. */
const USERS = 7;

/** Mean time between two messages of one client, in milliseconds. */
const RAW_THINK_MS = 45;
const BROWSER_THINK_MS = 200;

/** The browser client's clock runs this much faster: see fast_clock.ts. */
const BROWSER_PACE = 5;

export interface Crowd {
  readonly people: readonly Person[];
  /** The busiest first. */
  readonly roomIds: readonly string[];
  /** A room that no client looks at: for measurements. */
  readonly quietRoomId: string;
  readonly clients: readonly Client[];
}

/** Signs everybody in and makes rooms and clients. Nobody is connected yet. */
export async function gatherCrowd(
  cluster: TestCluster,
  history: History,
  random: Random,
): Promise<Crowd> {
  const people = await cluster.people("user", USERS);
  const roomIds = await cluster.rooms(people, ROOMS);
  const [quietRoomId] = await cluster.rooms(people, 1);
  const [stranger] = await cluster.people("stranger", 1);
  const [foreignRoomId] = await cluster.rooms([stranger!], 1);
  const common = (name: string, number: number) => ({
    name,
    person: people[number % USERS]!,
    random: random.fork(name),
    roomIds,
    history,
    serverPort: cluster.anyMachine(random.fork(`machines of ${name}`)),
  });
  const clients: Client[] = [];
  for (let number = 0; number < RAW_CLIENTS; number++) {
    clients.push(
      await RawClient.create({
        ...common(`raw ${number}`, number),
        foreignRoomId: foreignRoomId!,
        thinkMs: RAW_THINK_MS,
        byTime: number === 1,
      }),
    );
  }
  for (let number = 0; number < BROWSER_CLIENTS; number++) {
    clients.push(
      await BrowserClient.create({
        ...common(`browser ${number}`, RAW_CLIENTS + number),
        thinkMs: BROWSER_THINK_MS,
        pace: BROWSER_PACE,
      }),
    );
  }
  return { people, roomIds, clients, quietRoomId: quietRoomId! };
}
