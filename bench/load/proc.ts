/** What Linux says of a process: CPU time and memory. */

import { sum } from "./figures.ts";

/** Clock ticks of /proc/PID/stat a second: 100 on every Linux of today. */
const TICKS_PER_SECOND = 100;

/** CPU seconds of a process so far, user and system, all threads. */
export function cpuSeconds(pid: number): number {
  const fields = statFields(pid);
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** The same of several processes together. */
export function cpuSecondsOfAll(pids: readonly number[]): number {
  return sum(pids, cpuSeconds);
}

/** As {@link cpuSeconds}, of a process and its children, ended ones too. */
export function familyCpuSeconds(pid: number): number {
  const own = statFields(pid);
  let seconds = cpuSeconds(pid) +
    (Number(own[13]) + Number(own[14])) / TICKS_PER_SECOND;
  for (const entry of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(entry.name)) continue;
    try {
      const child = Number(entry.name);
      if (Number(statFields(child)[1]) === pid) seconds += cpuSeconds(child);
    } catch (error) {
      // It has ended since the folder was read.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return seconds;
}

/** Resident memory of processes in bytes. */
export function residentBytes(pids: readonly number[]): number {
  return sum(pids, (pid) => {
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
  });
}

/** The parent of a process. */
export function parentOf(pid: number): number {
  return Number(statFields(pid)[1]);
}

/** Fields of /proc/PID/stat from the third on; the name before may hold spaces. */
function statFields(pid: number): string[] {
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(") ") + 2).split(" ");
}
