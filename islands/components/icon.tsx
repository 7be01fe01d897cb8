import type { ICON_PATHS } from "./icon_paths.ts";

export type IconName = keyof typeof ICON_PATHS;

/** An icon of the page's sprite. It is decoration: the name stands in the text beside it. */
export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" aria-hidden="true">
      <use href={`#icon-${name}`} />
    </svg>
  );
}
