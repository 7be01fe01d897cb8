import { hueClass, initials } from "../text/names.ts";

/** A person's or a room's sign. The name stands beside it, so it is hidden from screen readers. */
export function Avatar(
  { name, shape = "person" }: { name: string; shape?: "person" | "room" },
) {
  const letters = initials(name);
  return (
    <span class={`avatar ${shape} ${hueClass(name)}`} aria-hidden="true">
      {shape === "room" ? [...letters][0] : letters}
    </span>
  );
}
