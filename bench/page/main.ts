/**
 * Measures the chat page in Chromium, of two checkouts by turns:
 *
 *   deno task bench:page --before=FOLDER [--after=FOLDER] [--runs=3] [--messages=30]
 *
 * `--after` is this checkout when left out. Prints medians as a table.
 */

import { parseArgs } from "node:util";
import { launchBrowser } from "../../tests/helpers/browser.ts";
import { percentile } from "../load/figures.ts";
import { startCheckout } from "./checkout.ts";
import { countDrawn, type Figures, measureVisit } from "./visit.ts";

/** How many rooms the readers are in. */
const ROOM_COUNTS = [2, 302];

const ROWS: readonly [name: string, what: string][] = [
  ["openScriptMs", "script per message in the open room, ms"],
  ["otherScriptMs", "script per message in another room, ms"],
  ["openTaskMs", "main thread per message in the open room, ms"],
  ["otherTaskMs", "main thread per message in another room, ms"],
  ["openDrawn", "components drawn per message in the open room"],
  ["otherDrawn", "components drawn per message in another room"],
  ["openReads", "reads of storage per message in the open room"],
  ["otherReads", "reads of storage per message in another room"],
  ["usableMs", "until usable, ms"],
  ["usableFrames", "WebSocket frames until usable"],
];

const { values: options } = parseArgs({
  args: Deno.args,
  options: {
    before: { type: "string" },
    after: { type: "string" },
    runs: { type: "string", default: "3" },
    messages: { type: "string", default: "30" },
  },
});
const here = new URL("../../", import.meta.url).pathname;
const roots = [
  ["before", options.before],
  ["after", options.after ?? here],
] as const;
const messages = Number(options.messages);

await using stack = new AsyncDisposableStack();
const checkouts = [];
for (const [name, folder] of roots) {
  if (folder === undefined) continue;
  const root = `${await Deno.realPath(folder)}/`;
  checkouts.push(stack.use(await startCheckout(name, root, ROOM_COUNTS)));
}
const browser = await launchBrowser();
stack.defer(() => browser.close());

const found = new Map<string, Figures[]>();
for (let run = 1; run <= Number(options.runs); run++) {
  for (const checkout of checkouts) {
    for (const rooms of checkout.rooms) {
      const figures = {
        ...await measureVisit(browser, checkout, rooms, messages),
        ...await countDrawn(browser, checkout, rooms, messages),
      };
      const key = `${checkout.name} ${rooms.count}`;
      found.set(key, [...found.get(key) ?? [], figures]);
      say(`run ${run}, ${key} rooms: ${JSON.stringify(figures)}`);
    }
  }
}

const columns = [...found.keys()];
say(`\n|  | ${columns.map((key) => `${key} rooms`).join(" | ")} |`);
say(`| --- |${" ---: |".repeat(columns.length)}`);
for (const [name, what] of ROWS) {
  const cells = columns.map((key) => {
    const values = found.get(key)?.map((figures) => figures[name] ?? NaN);
    return Number(percentile(values ?? [], 0.5).toPrecision(3));
  });
  say(`| ${what} | ${cells.join(" | ")} |`);
}
for (const { name, firstLoadBytes } of checkouts) {
  say(`\nfirst-load script of ${name}, gzip: ${firstLoadBytes} B`);
}

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}
