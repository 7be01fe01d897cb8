import { signal } from "@preact/signals";

/**
 * Makes the fields of an object signals: a component or computed value that reads one follows its
 * changes. A change is the assignment of another value; what happens inside an array or a map is not
 * seen. Fields that are functions, getters or private stay as they are.
 */
export function signalFields<T extends object>(target: T): T {
  for (const field of Object.keys(target) as (keyof T)[]) {
    const { get, value } = Object.getOwnPropertyDescriptor(target, field)!;
    if (get || typeof value === "function") continue;
    const held = signal(value);
    Object.defineProperty(target, field, {
      get: () => held.value,
      set(value) {
        held.value = value;
      },
    });
  }
  return target;
}
