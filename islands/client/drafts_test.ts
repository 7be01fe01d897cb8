import assert from "node:assert/strict";
import { Drafts } from "./drafts.ts";
import { MemoryStorage } from "./storage.ts";

const KEY = "chatket_draft:ada:room";

/** Two tabs of one browser, and what it would tell one about what the other has done. */
function twoTabs() {
  const storage = new MemoryStorage();
  const open = (tabStorage = new MemoryStorage()) =>
    new Drafts({ userId: "ada", storage, tabStorage });
  return { storage, open, first: open(), second: open() };
}

Deno.test("a tab begins with the draft that was typed last in another", () => {
  const { open, first } = twoTabs();
  first.write("room", "hello");
  assert.equal(open().read("room"), "hello");
  assert.equal(open().read("other room"), "");
  assert.equal(open().holds("room"), false);
});

Deno.test("two tabs keep a draft each, over a reload too", () => {
  const { storage, open, first, second } = twoTabs();
  const tabStorage = new MemoryStorage();
  const third = new Drafts({ userId: "ada", storage, tabStorage });
  third.write("room", "three");
  first.write("room", "one");
  second.write("room", "two");
  assert.equal(first.read("room"), "one");
  assert.equal(open(tabStorage).read("room"), "three");
});

Deno.test("clearing a draft leaves another tab's, for tabs to come too", () => {
  const { storage, open, first, second } = twoTabs();
  first.write("room", "one");
  second.write("room", "two");
  second.write("room", "");
  first.storageChanged(KEY);
  assert.equal(first.read("room"), "one");
  assert.equal(open().read("room"), "one");

  first.write("room", "one more");
  second.write("room", "");
  assert.equal(storage.getItem(KEY), '"one more"', "the second had none");
  first.write("room", "");
  assert.equal(storage.getItem(KEY), null);
});

Deno.test("a text sent by another tab is no draft any more, another text stays", () => {
  const { open, first, second } = twoTabs();
  first.write("room", "hello ");
  second.write("room", second.read("room"));
  first.write("room", "");
  second.storageChanged(KEY);
  second.sentElsewhere("room", "hello");
  assert.equal(second.holds("room"), false);
  assert.equal(open().read("room"), "");

  second.write("room", "something else");
  second.sentElsewhere("room", "hello");
  assert.equal(second.read("room"), "something else");
});
