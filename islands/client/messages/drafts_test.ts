import assert from "node:assert/strict";
import { Drafts } from "./drafts.ts";
import { FakeClock } from "../fakes.ts";
import { MemoryStorage } from "../storage/storage.ts";
import { WRITE_DELAY_MS } from "../storage/write_behind.ts";

const KEY = "chatket_draft:ada:room";

/** Two tabs of one browser, and what it would tell one about what the other has done. */
function twoTabs() {
  const storage = new MemoryStorage();
  const clock = new FakeClock();
  const open = (tabStorage = new MemoryStorage()) =>
    new Drafts({ userId: "ada", storage, tabStorage, clock });
  const [first, second] = [open(), open()];
  /** What one tab types, stored, and what the other tab hears of it. */
  const type = (tab: Drafts, text: string) => {
    tab.write("room", text);
    tab.writing.flush();
    for (const other of [first, second]) {
      if (other !== tab) other.storageChanged(KEY);
    }
  };
  return { storage, clock, open, first, second, type };
}

Deno.test("a tab begins with the draft that was typed last in another", () => {
  const { open, first, type } = twoTabs();
  type(first, "hello");
  assert.equal(open().read("room"), "hello");
  assert.equal(open().read("other room"), "");
  assert.equal(open().holds("room"), false);
});

Deno.test("two tabs keep a draft each, over a reload too", () => {
  const { open, first, second, type } = twoTabs();
  const tabStorage = new MemoryStorage();
  const third = open(tabStorage);
  type(third, "three");
  type(first, "one");
  type(second, "two");
  assert.equal(first.read("room"), "one");
  assert.equal(open(tabStorage).read("room"), "three");
});

Deno.test("clearing a draft leaves another tab's, for tabs to come too", () => {
  const { storage, open, first, second, type } = twoTabs();
  type(first, "one");
  type(second, "two");
  type(second, "");
  assert.equal(first.read("room"), "one");
  assert.equal(open().read("room"), "one");

  type(first, "one more");
  type(second, "");
  assert.equal(storage.getItem(KEY), '"one more"', "the second had none");
  type(first, "");
  assert.equal(storage.getItem(KEY), null);
});

Deno.test("a text sent by another tab is no draft any more, another text stays", () => {
  const { open, first, second, type } = twoTabs();
  type(first, "hello ");
  type(second, second.read("room"));
  type(first, "");
  second.sentElsewhere("room", "hello");
  second.writing.flush();
  assert.equal(second.holds("room"), false);
  assert.equal(open().read("room"), "");

  second.write("room", "something else");
  second.sentElsewhere("room", "hello");
  assert.equal(second.read("room"), "something else");
});

Deno.test("drafts are written a little later, or at once when the page goes, and never after signing out", async () => {
  const { storage, clock, first } = twoTabs();
  first.write("room", "h");
  first.write("room", "he");
  assert.equal(storage.getItem(KEY), null);
  await clock.advance(WRITE_DELAY_MS);
  assert.equal(storage.getItem(KEY), '"he"');
  first.write("room", "hello");
  first.writing.flush();
  assert.equal(storage.getItem(KEY), '"hello"');
  first.write("room", "hello all");
  first.writing.cancel();
  await clock.advance(WRITE_DELAY_MS);
  assert.equal(storage.getItem(KEY), '"hello"');
});
