import { ICON_PATHS } from "./icon_paths.ts";

/** The icons' drawings, for the HTML around the page: the script only names them. */
export function IconSprite() {
  return (
    <svg hidden>
      {Object.entries(ICON_PATHS).map(([name, path]) => (
        <symbol id={`icon-${name}`} viewBox="0 0 24 24" key={name}>
          <path d={path} />
        </symbol>
      ))}
      <symbol id="icon-logo" viewBox="0 0 32 32">
        <path
          class="logo-bubble"
          d="M7 4h18a4 4 0 0 1 4 4v3.2a3.3 3.3 0 0 0 0 6.6V20a4 4 0 0 1-4 4H14l-6 5v-5H7a4 4 0 0 1-4-4v-2.2a3.3 3.3 0 0 0 0-6.6V8a4 4 0 0 1 4-4Z"
        />
        <path class="logo-lines" d="M10.5 11.5h11M10.5 16.5h7" />
      </symbol>
    </svg>
  );
}
