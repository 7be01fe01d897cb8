import assert from "node:assert/strict";
import type { ClientEventDefinition, ServerEventDefinition } from "./define.ts";
import { refuse } from "./envelope.ts";
import { CLIENT_EVENTS, FEATURES, SERVER_EVENTS } from "./protocol.ts";
import {
  isRetryable,
  PERMANENT_REFUSALS,
  REFUSALS,
  TEMPORARY_REFUSALS,
} from "./refusals.ts";

Deno.test("no two features define an event of the same name", () => {
  for (const side of ["client", "server"] as const) {
    const names = FEATURES.flatMap((feature) => Object.keys(feature[side]));
    assert.deepEqual(names.toSorted(), [...new Set(names)].sort());
  }
});

Deno.test("the examples fit the schemas and lose nothing by them", () => {
  const clientEvents: [string, ClientEventDefinition][] = Object.entries(
    CLIENT_EVENTS,
  );
  for (const [name, { data, example, ack, ackExample }] of clientEvents) {
    assert.deepEqual(data.parse(example), example, name);
    assert.deepEqual(ack.parse(ackExample), ackExample, name);
  }
  const serverEvents: [string, ServerEventDefinition][] = Object.entries(
    SERVER_EVENTS,
  );
  for (const [name, { data, example }] of serverEvents) {
    assert.deepEqual(data.parse(example), example, name);
  }
});

Deno.test("every refusal is either permanent or temporary, and says what the table says", () => {
  const codes = [...PERMANENT_REFUSALS, ...TEMPORARY_REFUSALS];
  assert.deepEqual(codes.toSorted(), Object.keys(REFUSALS).sort());
  assert.equal(new Set(codes).size, codes.length);
  assert.equal(isRetryable("muted"), true);
  assert.equal(isRetryable("not_a_member"), false);
  assert.deepEqual(refuse("muted"), {
    success: false,
    error: REFUSALS.muted.text,
    code: "muted",
  });
});
