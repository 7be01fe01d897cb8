import assert from "node:assert/strict";
import { isTimeZone, lenientLocks, openStorage } from "./browser.ts";
import { MemoryStorage } from "./storage/storage.ts";

Deno.test("a time zone that Intl refuses is none", () => {
  assert.deepEqual(
    ["Europe/Istanbul", "UTC", "Etc/Unknown", "Foo/Bar", ""].map(isTimeZone),
    [true, true, false, false, false],
  );
});

Deno.test("openStorage() gives one in memory where there is none, or it throws at once or when read", () => {
  const given = new MemoryStorage();
  assert.equal(openStorage(() => given), given);
  const broken = new MemoryStorage();
  broken.getItem = () => {
    throw new Error("corrupt");
  };
  const forbidden = () => {
    throw new DOMException("denied", "SecurityError");
  };
  for (const open of [() => null, () => broken, forbidden]) {
    const storage = openStorage(open);
    storage.setItem("key", "value");
    assert.equal(storage.getItem("key"), "value");
  }
});

Deno.test("work is done once, with the lock, without one that is refused; its own error stays its own", async () => {
  let runs = 0;
  const run = () => Promise.resolve(++runs);
  const granting = {
    request: <T>(_name: string, work: () => Promise<T>) => work(),
  };
  const refusing = {
    request: () => Promise.reject(new DOMException("", "SecurityError")),
  };
  assert.equal(lenientLocks(undefined), undefined);
  assert.equal(await lenientLocks(granting)?.request("a", run), 1);
  assert.equal(await lenientLocks(refusing)?.request("a", run), 2);
  await assert.rejects(
    async () =>
      await lenientLocks(granting)?.request("a", () => {
        runs++;
        return Promise.reject(new Error("own"));
      }),
    /own/,
  );
  assert.equal(runs, 3);
});
