import assert from "node:assert/strict";
import { forgetWhoLeft } from "./sign_out.ts";
import { keysWithPrefix, MemoryStorage } from "../storage/storage.ts";

/** A browser in which two users have left something; Ada was the last one. */
function usedBrowser() {
  const storage = new MemoryStorage();
  const tabStorage = new MemoryStorage();
  for (const user of ["ada", "bob"]) {
    storage.setItem(`chatket_draft:${user}:room`, '"draft"');
    storage.setItem(`chatket_outbox:${user}:message`, "{}");
    tabStorage.setItem(`chatket_draft:${user}:room`, '"draft"');
  }
  storage.setItem("chatket_user", '"ada"');
  storage.setItem("beatair_last_seen", "{}");
  storage.setItem("chatket_positions", "{}");
  storage.setItem("another program's", "1");
  const load = (cookie: string) => {
    const document = { cookie };
    forgetWhoLeft(document, storage, tabStorage, undefined);
    return document.cookie;
  };
  const keys = (of = storage) => keysWithPrefix(of, "").sort();
  return { storage, tabStorage, load, keys };
}

const OTHERS = [
  "another program's",
  "chatket_draft:bob:room",
  "chatket_outbox:bob:message",
];

Deno.test("a user who has signed out leaves nothing; others' texts stay for themselves", () => {
  const { tabStorage, load, keys } = usedBrowser();
  assert.match(load("a=b; chatket_left=ada"), /^chatket_left=;.*Max-Age=0/);
  assert.deepEqual(keys(), OTHERS);
  assert.deepEqual(keys(tabStorage), [], "nobody is known to come back to it");
});

Deno.test("a session that has ended by itself leaves all to its user", () => {
  const { tabStorage, load, keys } = usedBrowser();
  const before = keys();
  assert.equal(load("chatket_leftover=ada"), "chatket_leftover=ada");
  assert.deepEqual(keys(), before);
  assert.deepEqual(keys(tabStorage), ["chatket_draft:ada:room"]);
});
