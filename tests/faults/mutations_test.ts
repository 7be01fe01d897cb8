import assert from "node:assert/strict";
import { MUTATIONS } from "./mutation_list.ts";
import { misfits } from "./mutations.ts";

for (const mutation of MUTATIONS) {
  Deno.test(`the mutation "${mutation.name}" still has its place`, async () => {
    assert.deepEqual(await misfits(mutation), []);
  });
}
