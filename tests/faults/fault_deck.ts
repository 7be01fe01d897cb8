import type { TestCluster } from "./test_cluster.ts";
import { MACHINE_FAULTS } from "./machine_faults.ts";
import type { Random } from "./random.ts";
import { SERVER_FAULTS, type ServerFault } from "./server_faults.ts";

/** The faults of one pass, in random order. */
export function serverDeck(
  { engine, machines }: Pick<TestCluster, "engine" | "machines">,
  random: Random,
): ServerFault[] {
  const faults = [
    ...SERVER_FAULTS.filter(({ engines }) => engines.includes(engine)),
    ...machines.length > 1 ? MACHINE_FAULTS : [],
  ];
  return random.shuffle(
    faults.flatMap((fault) => Array.from({ length: fault.times }, () => fault)),
  );
}
