import assert from "node:assert/strict";
import type {
  ChangeTarget,
  MessageChange,
  TargetMessage,
} from "../../db/changes.ts";
import { MAX_PINS, MAX_REACTION_EMOJI } from "../protocol/limits.ts";
import { decideChanges } from "./decide_changes.ts";

const NOW = new Date("2026-03-01T12:00:00.000Z");
const BEFORE = new Date("2026-03-01T11:00:00.000Z");

const MESSAGE: TargetMessage = {
  seq: 7,
  userId: "author",
  text: "first",
  writtenAt: BEFORE,
  isDeleted: false,
  rev: 0,
  textRev: 0,
  isPinned: false,
  edits: 0,
  emoji: [],
  isReacted: false,
};

const target = (
  message: Partial<TargetMessage> = {},
  room: Partial<NonNullable<ChangeTarget["room"]>> = {},
): ChangeTarget => ({
  room: { lastRev: 10, createdBy: "maker", pinCount: 0, ...room },
  isMember: true,
  message: { ...MESSAGE, ...message },
});

type Effect = MessageChange extends infer C
  ? C extends MessageChange ? Omit<C, "roomId" | "messageId" | "userId"> : never
  : never;

const change = (
  effect: Effect,
  userId = "author",
  messageId = "m",
): MessageChange => ({ roomId: "r", messageId, userId, ...effect });

/** Decides changes that all have the same target. */
const decide = (changes: MessageChange[], of = target()) =>
  decideChanges(changes, changes.map(() => of), NOW);

/** What came of them, briefly. */
const brief = ({ outcomes }: ReturnType<typeof decide>) =>
  outcomes.map((outcome) =>
    outcome.kind === "refused"
      ? outcome.code
      : `${outcome.isChanged ? "" : "="}${outcome.rev}`
  );

Deno.test("decideChanges() gives each change that has an effect the room's next rev, and writes the last state", () => {
  const decision = decide([
    change({ kind: "edit", text: "second" }),
    change({ kind: "edit", text: "second" }),
    change({ kind: "edit", text: "third" }),
    change({ kind: "reaction", emoji: "👍", on: true }, "bob"),
  ]);
  assert.deepEqual(brief(decision), ["11", "=11", "12", "13"]);
  assert.deepEqual(decision.before, new Map([["r", 10]]));
  const { writes } = decision;
  assert.deepEqual(writes.rooms, [{ roomId: "r", lastRev: 13 }]);
  assert.deepEqual(writes.messages, [{ roomId: "r", seq: 7, rev: 13 }]);
  assert.deepEqual(writes.texts, [{ messageId: "m", text: "third", rev: 12 }]);
  assert.deepEqual(writes.versions, [
    { messageId: "m", number: 1, text: "first", at: BEFORE },
    { messageId: "m", number: 2, text: "second", at: NOW },
  ]);
});

Deno.test("decideChanges() writes nothing of a message that is deleted in the end but the deletion", () => {
  const decision = decide([
    change({ kind: "edit", text: "second" }),
    change({ kind: "reaction", emoji: "👍", on: true }),
    change({ kind: "pin", on: true }, "maker"),
    change({ kind: "delete" }, "maker"),
    change({ kind: "delete" }),
    change({ kind: "edit", text: "third" }),
  ]);
  assert.deepEqual(
    brief(decision),
    ["11", "12", "13", "14", "=14", "message_deleted"],
  );
  const { writes } = decision;
  assert.deepEqual(writes.deletions, [{ messageId: "m", by: "moderator" }]);
  for (const list of ["texts", "versions", "reactions", "pins"] as const) {
    assert.deepEqual(writes[list], [], list);
  }
});

Deno.test("decideChanges() writes no reaction that was put and taken back, and takes back no other", () => {
  const put = (on: boolean, userId: string) =>
    change({ kind: "reaction", emoji: "👍", on }, userId);
  const fleeting = decide([put(true, "bob"), put(false, "bob")]);
  assert.deepEqual(brief(fleeting), ["11", "12"]);
  assert.deepEqual(
    [fleeting.writes.reactions, fleeting.writes.withdrawn],
    [[], []],
  );
  const stored = target({
    isReacted: true,
    emoji: [{ emoji: "👍", count: 1, firstRev: 4 }],
  });
  const back = decide([put(false, "bob"), put(true, "bob")], stored);
  assert.deepEqual([back.writes.reactions, back.writes.withdrawn], [[], []]);
  const gone = decide([put(false, "bob"), put(false, "bob")], stored);
  assert.deepEqual(brief(gone), ["11", "=11"]);
  assert.equal(gone.writes.withdrawn.length, 1);
});

Deno.test("decideChanges() keeps an emoji's place while one reaction of it is left", () => {
  const stored = target({ emoji: [{ emoji: "👍", count: 2, firstRev: 4 }] });
  const { writes } = decide(
    [change({ kind: "reaction", emoji: "👍", on: true }, "carol")],
    stored,
  );
  assert.deepEqual(
    writes.reactions.map(({ rev, firstRev }) => [rev, firstRev]),
    [[11, 4]],
  );
});

Deno.test("decideChanges() counts different emoji, and pins, also those of the same batch", () => {
  const emoji = Array.from({ length: MAX_REACTION_EMOJI - 1 }, (_, n) => ({
    emoji: `${n}`,
    count: 1,
    firstRev: n,
  }));
  const react = (emoji: string, userId: string) =>
    change({ kind: "reaction", emoji, on: true }, userId);
  assert.deepEqual(
    brief(decide(
      [react("a", "bob"), react("b", "bob"), react("a", "carol")],
      target({ emoji }),
    )),
    ["11", "reaction_limit", "12"],
  );
  const pin = (messageId: string, on = true) =>
    change({ kind: "pin", on }, "maker", messageId);
  const room = { pinCount: MAX_PINS - 1 };
  assert.deepEqual(
    brief(decide(
      [pin("a"), pin("b"), pin("a", false), pin("b")],
      target({}, room),
    )),
    ["11", "pin_limit", "12", "13"],
  );
});

Deno.test("decideChanges() refuses an edit that is based on an older text, unless it has happened", () => {
  const edited = target({ rev: 9, textRev: 5, text: "now" });
  const edit = (text: string, baseRev?: number) =>
    change({ kind: "edit", text, baseRev });
  assert.deepEqual(
    brief(decide([edit("now", 4), edit("mine", 4)], edited)),
    ["=9", "edit_conflict"],
  );
  assert.deepEqual(brief(decide([edit("mine", 5)], edited)), ["11"]);
  assert.deepEqual(brief(decide([edit("mine")], edited)), ["11"]);
});

Deno.test("decideChanges() lets one who has changed too much repeat what is so, and nothing else", () => {
  const over = (on: boolean) => ({
    ...change({ kind: "reaction", emoji: "👍", on }, "bob"),
    isOverLimit: true,
  });
  const put = change({ kind: "reaction", emoji: "👍", on: true }, "bob");
  const decision = decide([
    over(false),
    over(true),
    put,
    over(true),
    over(false),
  ]);
  assert.deepEqual(
    brief(decision),
    ["=0", "too_many_requests", "11", "=11", "too_many_requests"],
  );
  assert.equal(decision.writes.reactions.length, 1);
});

Deno.test("decideChanges() refuses by who the user is, and says what is not there", () => {
  const all: Effect[] = [
    { kind: "edit", text: "x" },
    { kind: "delete" },
    { kind: "reaction", emoji: "👍", on: true },
    { kind: "pin", on: true },
  ];
  const of = (userId: string, what = target()) =>
    all.map((effect) => brief(decide([change(effect, userId)], what))[0]);
  assert.deepEqual(of("author"), ["11", "11", "11", "forbidden"]);
  assert.deepEqual(of("maker"), ["forbidden", "11", "11", "11"]);
  assert.deepEqual(of("other"), ["forbidden", "forbidden", "11", "forbidden"]);
  const same = (code: string) => all.map(() => code);
  assert.deepEqual(
    of("author", { ...target(), isMember: false }),
    same("not_a_member"),
  );
  const nowhere = { room: undefined, isMember: false, message: undefined };
  assert.deepEqual(of("author", nowhere), same("room_not_found"));
  assert.deepEqual(
    of("other", { ...target(), message: undefined }),
    same("message_not_found"),
  );
});
