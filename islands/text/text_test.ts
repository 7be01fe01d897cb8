import assert from "node:assert/strict";
import { message } from "../client/fakes.ts";
import { en } from "../strings/en.ts";
import { tr } from "../strings/tr.ts";
import { isEmojiOnly } from "./linkify.ts";
import { hueClass, initials } from "./names.ts";
import { timelineItems } from "./timeline_items.ts";
import { createTimes, relativeDay } from "./times.ts";
import { createTranslate } from "./translate.ts";

Deno.test("isEmojiOnly() tells emoji from text and digits", () => {
  for (const text of ["🎉", "👩‍👩‍👧 👍🏽", "🇹🇷", "❤️"]) {
    assert.ok(isEmojiOnly(text), text);
  }
  for (const text of ["1", "ok 👍", "", "#"]) {
    assert.ok(!isEmojiOnly(text), text);
  }
});

Deno.test("initials() and hueClass() are stable and survive odd names", () => {
  assert.deepEqual(
    ["ada", "Grace Hopper", "_x_", "", "👩‍🚀 crew"].map(initials).map((s) =>
      s.length > 0
    ),
    [
      true,
      true,
      true,
      true,
      true,
    ],
  );
  assert.equal(hueClass("Ada"), hueClass("ada"));
  assert.match(hueClass("__proto__"), /^hue-[0-7]$/);
});

const times = createTimes("en-GB", "Europe/Istanbul");
const kinds = (items: ReturnType<typeof timelineItems>) =>
  items.map((item) =>
    item.kind === "message"
      ? `${item.message.seq}${item.isFirst ? "*" : ""}`
      : item.kind
  );

Deno.test("timelineItems() groups one author's messages within five minutes", () => {
  const at = (minutes: number) =>
    new Date(Date.UTC(2026, 0, 1, 12, minutes)).toISOString();
  const other = { id: "x", username: "x" };
  const messages = [
    message(1, { createdAt: at(0) }),
    message(2, { createdAt: at(5) }),
    message(3, { createdAt: at(11) }),
    message(4, { createdAt: at(11), sender: other }),
  ];
  const options = { notices: [], firstUnread: undefined, times };
  assert.deepEqual(kinds(timelineItems(messages, options)), [
    "day",
    "1*",
    "2",
    "3*",
    "4*",
  ]);
});

Deno.test("timelineItems() begins a day at local midnight", () => {
  const messages = ["20:59", "21:00"].map((time, index) =>
    message(index + 1, { createdAt: `2026-01-01T${time}:00.000Z` })
  );
  const options = { notices: [], firstUnread: undefined, times };
  assert.deepEqual(kinds(timelineItems(messages, options)), [
    "day",
    "1*",
    "day",
    "2*",
  ]);
});

Deno.test("timelineItems() puts the new line and notices in their places", () => {
  const createdAt = "2026-01-01T12:00:00.000Z";
  const messages = [1, 2, 3].map((seq) => message(seq, { createdAt }));
  const user = { id: "x", username: "x" };
  const notices = [1, 3].map((afterSeq) => ({
    type: "join" as const,
    user,
    createdAt,
    afterSeq,
  }));
  const items = timelineItems(messages, { notices, firstUnread: 3, times });
  assert.deepEqual(kinds(items), [
    "day",
    "1*",
    "notice",
    "2*",
    "new",
    "3*",
    "notice",
  ]);
});

Deno.test("relativeDay() knows today and yesterday, also when the clocks change", () => {
  const berlin = createTimes("en-GB", "Europe/Berlin");
  // 29 March 2026 has 23 hours in Berlin; half past midnight of the day after.
  const today = berlin.day("2026-03-29T22:30:00.000Z");
  assert.equal(relativeDay("2026-03-30", today), "today");
  assert.equal(relativeDay("2026-03-29", today), "yesterday");
  assert.equal(relativeDay("2026-03-28", today), undefined);
});

Deno.test("createTranslate() fills in values and chooses the plural form", () => {
  const t = createTranslate(en, "en");
  assert.equal(t("newBelow", { n: 1 }), "1 new message");
  assert.equal(t("newBelow", { n: 1200 }), "1,200 new messages");
  assert.equal(t("typingTwo", { a: "$&", b: "b" }), "$& and b are typing");
});

Deno.test("every language has every text with the same gaps", () => {
  const gaps = (text: unknown) =>
    [...JSON.stringify(text).matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
  for (const key of Object.keys(en) as (keyof typeof en)[]) {
    assert.deepEqual(
      [...new Set(gaps(tr[key]))].sort(),
      [...new Set(gaps(en[key]))].sort(),
      key,
    );
    assert.equal(typeof tr[key], typeof en[key], key);
  }
});
