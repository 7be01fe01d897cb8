import assert from "node:assert/strict";
import { type Action, denialOf } from "./policy.ts";

const FOR_MEMBERS: readonly Action[] = [
  ...["leave", "mark_read", "post", "read", "subscribe"] as const,
];

Deno.test("an outsider may join a room and nothing else", () => {
  const outsider = { roomExists: true, isMember: false };
  assert.equal(denialOf("join", outsider), undefined);
  for (const action of FOR_MEMBERS) {
    assert.equal(denialOf(action, outsider), "not_a_member", action);
  }
});

Deno.test("a member may do everything", () => {
  for (const action of ["join", ...FOR_MEMBERS] as const) {
    const denial = denialOf(action, { roomExists: true, isMember: true });
    assert.equal(denial, undefined, action);
  }
});

Deno.test("a room that does not exist is open to nobody", () => {
  for (const action of ["join", ...FOR_MEMBERS] as const) {
    const denial = denialOf(action, { roomExists: false, isMember: false });
    assert.equal(denial, "room_not_found", action);
  }
});
