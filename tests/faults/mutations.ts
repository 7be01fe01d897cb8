/** Does the fault run notice? The program is broken on purpose, one promise at a time, in a copy of the tree. */

import { runOrThrow } from "../helpers/system.ts";
import { type Mutation, MUTATIONS } from "./mutation_list.ts";

const PROJECT = new URL("../../", import.meta.url).pathname;

/** What the copy does not need, or must not share. */
const LEFT_OUT = new Set([".git", ".data", "node_modules", "artifacts"]);

/** Seeds that are tried until one notices. */
const SEEDS = [1, 2, 3];

/** A run takes a minute; one that takes longer than this hangs, in milliseconds. */
const RUN_LIMIT_MS = 240_000;

/** Runs all mutations, or those whose name fits the pattern `only`. @returns whether all were noticed */
export async function runMutations(
  say: (line: string) => void,
  only = "",
): Promise<boolean> {
  const chosen = MUTATIONS.filter(({ name }) => new RegExp(only).test(name));
  let missed = 0;
  for (const mutation of chosen) {
    const startedAt = Date.now();
    const caught = await noticed(mutation);
    const seconds = ((Date.now() - startedAt) / 1_000).toFixed(0);
    if (caught === undefined) missed++;
    say(
      caught === undefined
        ? `MISSED  ${mutation.name} (${seconds} s)`
        : `caught  ${mutation.name} (${seconds} s): ${caught}`,
    );
  }
  say(`\n${chosen.length - missed} of ${chosen.length} mutations caught`);
  return missed === 0 && chosen.length > 0;
}

/** The first rule that was found broken, undefined when the run found nothing. */
async function noticed(mutation: Mutation): Promise<string | undefined> {
  const wrong = await misfits(mutation);
  if (wrong.length > 0) throw new Error(wrong.join("\n"));
  const folder = await Deno.makeTempDir({ prefix: "chatket-mutation-" });
  try {
    await copyTree(PROJECT, folder);
    // Hard links: the packages are only read.
    await runOrThrow("cp", [
      ...["-al", `${PROJECT}node_modules`, `${folder}/node_modules`],
    ]);
    for (const edit of mutation.edits) await applyEdit(folder, edit);
    for (const seed of SEEDS) {
      const rule = await firstViolation(folder, mutation, seed);
      if (rule !== undefined) return `${rule} (seed ${seed})`;
    }
    return undefined;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function applyEdit(
  folder: string,
  { file, find, replace }: Mutation["edits"][number],
): Promise<void> {
  const path = `${folder}/${file}`;
  const text = await Deno.readTextFile(path);
  await Deno.writeTextFile(path, text.replace(find, () => replace));
}

/** What of a mutation has no place in the program any more: a line for each edit. */
export async function misfits({ name, edits }: Mutation): Promise<string[]> {
  const lines: string[] = [];
  for (const { file, find } of edits) {
    const text = await Deno.readTextFile(PROJECT + file);
    const found = text.split(find).length - 1;
    if (found === 1) continue;
    lines.push(
      `${name}: ${JSON.stringify(find)} stands ${found} times in ${file}; ` +
        "change tests/faults/mutation_list.ts with it",
    );
  }
  return lines;
}

async function firstViolation(
  folder: string,
  { machines = 1, faults }: Mutation,
  seed: number,
): Promise<string | undefined> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--no-check", "tests/faults/soak.ts"],
      ...["--stop-at-first", `--seed=${seed}`, `--machines=${machines}`],
      ...faults === undefined ? [] : [`--only=${faults}`],
    ],
    cwd: folder,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const limit = setTimeout(() => child.kill("SIGKILL"), RUN_LIMIT_MS);
  const { code, stdout, stderr } = await child.output();
  clearTimeout(limit);
  if (code === 0) return undefined;
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  const rule = /^VIOLATED: (.*)$/m.exec(decode(stdout))?.[1];
  // A run that fell over has not judged anything.
  if (rule === undefined) throw new Error(decode(stderr) || `ended: ${code}`);
  return rule;
}

async function copyTree(from: string, to: string): Promise<void> {
  for await (const entry of Deno.readDir(from)) {
    if (LEFT_OUT.has(entry.name)) continue;
    const source = `${from}/${entry.name}`;
    const target = `${to}/${entry.name}`;
    if (entry.isDirectory) {
      await Deno.mkdir(target);
      await copyTree(source, target);
    } else await Deno.copyFile(source, target);
  }
}
