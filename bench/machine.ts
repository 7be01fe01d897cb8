/** The machine and the versions, for the table's reader. */

export async function describeMachine(postgres: string): Promise<string> {
  const cpu = /^model name\s*:\s*(.+)$/m.exec(
    await Deno.readTextFile("/proc/cpuinfo"),
  )?.[1];
  const memory = /^MemTotal:\s*(\d+) kB/m.exec(
    await Deno.readTextFile("/proc/meminfo"),
  )?.[1];
  const kernel = await Deno.readTextFile("/proc/sys/kernel/osrelease");
  return [
    `${navigator.hardwareConcurrency} cores (${cpu ?? "unknown"}) shared by ` +
    "server, PostgreSQL and load",
    `${Math.round(Number(memory) / 2 ** 20)} GiB`,
    `Linux ${kernel.trim()}`,
    `Deno ${Deno.version.deno} (V8 ${Deno.version.v8})`,
    `PostgreSQL ${/[\d.]+/.exec(postgres)?.[0]}, fsync on`,
  ].join("; ");
}
