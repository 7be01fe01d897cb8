import assert from "node:assert/strict";
import { computed, effect } from "@preact/signals";
import { signalFields } from "./signal_fields.ts";

class Basket {
  apples = 1;
  pears: readonly string[] = [];
  constructor() {
    signalFields(this);
  }
  get count(): number {
    return this.apples + this.pears.length;
  }
  add(): void {
    this.apples++;
  }
}

Deno.test("who reads a field follows it, and no other field", () => {
  const basket = new Basket();
  const seen: number[] = [];
  effect(() => {
    seen.push(basket.apples);
  });
  basket.add();
  basket.pears = ["one"];
  assert.deepEqual(seen, [1, 2]);
});

Deno.test("getters and methods work as before, and values can be computed from them", () => {
  const basket = new Basket();
  const isFull = computed(() => basket.count > 1);
  assert.equal(isFull.value, false);
  basket.pears = ["one"];
  assert.equal(isFull.value, true);
});
