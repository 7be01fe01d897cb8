import assert from "node:assert/strict";
import { createUser, numbers } from "../../tests/realtime/fakes.ts";
import { brief, createPosts } from "../../tests/realtime/post_message_fakes.ts";

Deno.test("the sixth message in 10 s mutes for 30 s, and later tries do not make it longer", async () => {
  const { clock, post, postStored, writes } = createPosts();
  await postStored(5);
  const until = new Date(clock.now() + 30_000).toISOString();
  assert.deepEqual(await post(), {
    kind: "muted",
    mutedUntil: until,
    isNew: true,
  });
  await clock.advance(29_999);
  assert.deepEqual(await post(), {
    kind: "muted",
    mutedUntil: until,
    isNew: false,
  });
  assert.equal(writes.calls.length, 0);
  await clock.advance(1);
  await postStored(5);
});

Deno.test("ten at the same moment: five are stored, one mutes, the rest finds itself muted", async () => {
  const { clock, post, writes, store } = createPosts();
  const posted = numbers(1, 10).map(() => post());
  assert.equal(writes.calls.length, 5);
  while (writes.calls.length > 0) await store();
  await clock.advance(0);
  assert.deepEqual((await Promise.all(posted)).map(brief), [
    ...numbers(1, 5).map((seq) => `stored ${seq}`),
    "muted anew",
    ...numbers(1, 4).map(() => "muted"),
  ]);
});

Deno.test("a mute is for one user in one room", async () => {
  const { post, postStored, store } = createPosts();
  await postStored(5);
  assert.equal(brief(await post()), "muted anew");
  const elsewhere = post({ roomId: crypto.randomUUID() });
  await store();
  assert.equal((await elsewhere).kind, "stored");
  const somebody = post({}, createUser());
  await store();
  assert.equal((await somebody).kind, "stored");
});

Deno.test("a message that was refused does not count", async () => {
  const { post, refuse, postStored } = createPosts();
  for (const code of ["not_a_member", "unavailable", "internal"] as const) {
    for (const _ of numbers(1, 10)) {
      const posted = post();
      await refuse(code);
      assert.equal(brief(await posted), code);
    }
  }
  await postStored(5);
});

Deno.test("a message over the limit waits for those on their way, which may turn out not to count", async () => {
  const { clock, post, writes, refuse, store } = createPosts();
  const firstFive = numbers(1, 5).map(() => post());
  const sixth = post();
  await clock.advance(0);
  assert.equal(writes.calls.length, 5);
  await refuse("unavailable");
  for (const _ of numbers(1, 4)) await store();
  await clock.advance(0);
  assert.equal(writes.calls.length, 1, "the sixth became the fifth");
  await store();
  assert.equal(brief(await sixth), "stored 5");
  await Promise.all(firstFive);
});

Deno.test("two of the same client id over the limit become one message when the limit lets them", async () => {
  const { clock, post, writes, refuse, store } = createPosts();
  for (const _ of numbers(1, 5)) post();
  const both = [post({ clientMsgId: "x" }), post({ clientMsgId: "x" })];
  for (const _ of numbers(1, 5)) await refuse("unavailable");
  await clock.advance(0);
  assert.equal(writes.calls.length, 1);
  await store();
  assert.deepEqual((await Promise.all(both)).map(brief), [
    "stored 1",
    "duplicate 1",
  ]);
});

Deno.test("a retry after a refusal is a new try, not a duplicate", async () => {
  const { post, refuse, store } = createPosts();
  const first = post({ clientMsgId: "same" });
  const second = post({ clientMsgId: "same" });
  await refuse("unavailable");
  assert.equal(brief(await first), "unavailable");
  assert.equal(brief(await second), "unavailable");
  const third = post({ clientMsgId: "same" });
  await store();
  assert.equal(brief(await third), "stored 1");
});
