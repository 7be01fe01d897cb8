/** Reads the CPU profile that a Deno process has left. */

const SHOWN_FUNCTIONS = 40;

/** Nodes that stand for no work. */
const IDLE = /^\((idle|program)\)$/;

interface Profile {
  nodes: {
    id: number;
    callFrame: { functionName: string; url: string; lineNumber: number };
  }[];
  samples: number[];
}

/** The functions of the folder's profile by their own share of the time not spent idle. */
export async function mostExpensive(folder: string): Promise<string> {
  const [file] = [...Deno.readDirSync(folder)];
  // A server that was killed leaves none.
  if (file === undefined) return "";
  const profile: Profile = JSON.parse(
    await Deno.readTextFile(`${folder}/${file.name}`),
  );
  const names = new Map(profile.nodes.map((node) => [node.id, nameOf(node)]));
  const counts = new Map<string, number>();
  let busy = 0;
  for (const id of profile.samples) {
    const name = names.get(id)!;
    if (IDLE.test(name)) continue;
    busy++;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const lines = [...counts].sort(([, a], [, b]) => b - a)
    .slice(0, SHOWN_FUNCTIONS)
    .map(([name, count]) =>
      `${(count / busy * 100).toFixed(1).padStart(6)} %  ${name}`
    );
  return `\n${lines.join("\n")}\n`;
}

function nameOf({ callFrame }: Profile["nodes"][number]): string {
  const name = callFrame.functionName || "(anonymous)";
  if (callFrame.url === "") return name;
  const place = callFrame.url.split("/").slice(-2).join("/");
  return `${name} ${place}:${callFrame.lineNumber + 1}`;
}
