/** A load process: one job from standard input, its figures to standard output. */

import { crowd } from "./crowd.ts";
import type { Job } from "./job.ts";
import { page } from "./page.ts";
import { storm } from "./storm.ts";
import { talk } from "./talk.ts";

const SCENARIOS = { talk, crowd, storm, page };

const job: Job = await new Response(Deno.stdin.readable).json();
const metrics = await SCENARIOS[job.scenario](job);
Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(metrics)));
// Thousands of open connections need no goodbye.
Deno.exit(0);
