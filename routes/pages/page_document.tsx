/** The HTML around a page. It holds no inline script and no inline style: the policy forbids both. */

import type { ComponentChildren } from "preact";
import { renderToString } from "preact-render-to-string";
import { IconSprite } from "../../islands/components/icon_sprite.tsx";
import type { Theme, TypingLine } from "../../islands/page_props.ts";
import type { BuildManifest } from "../deps.ts";

export interface PageDocument {
  title: string;
  lang: string;
  theme: Theme;
  typing?: TypingLine | undefined;
  /** The manifest's entry of the page's script; also the id of the element it takes over. */
  entry: "chat" | "login";
  /** Whether a user has signed out whose traces in the browser are to be removed first. */
  hasLeft?: boolean;
  /** What the script starts from. */
  props: unknown;
  /** The page as the script would draw it first. */
  body: ComponentChildren;
  /** Said, with the reason, when the script cannot take over the page. */
  startFailure?: { lead: string; reload: string } | undefined;
  /** What stands above it where no script runs. */
  withoutScript?: ComponentChildren;
}

/** What the browser paints around the page: `--paper` of the styles. */
const PAPERS = [["light", "#f3efe7"], ["dark", "#0f1412"]] as const;

/** Renders a whole page. */
export function renderDocument(
  manifest: BuildManifest,
  page: PageDocument,
): string {
  const { title, lang, theme, typing, entry, props, body } = page;
  const { startFailure, withoutScript } = page;
  const url = (file: string) => `/static/build/${file}`;
  const { chat, login, sign_out: signOut, styles } = manifest.entries;
  const script = entry === "chat" ? chat : login;
  return "<!doctype html>" + renderToString(
    <html lang={lang} data-theme={theme} data-typing={typing}>
      <head>
        <meta charset="utf-8" />
        <meta
          name="viewport"
          content="width=device-width, initial-scale=1, viewport-fit=cover, interactive-widget=resizes-content"
        />
        <title>{`${title} · ChatKet`}</title>
        <meta name="description" content="Real-time chat rooms." />
        {PAPERS.map(([scheme, content]) => (
          <meta
            name="theme-color"
            content={content}
            media={theme === "system"
              ? `(prefers-color-scheme: ${scheme})`
              : theme === scheme
              ? "all"
              : "not all"}
          />
        ))}
        <link rel="icon" href="/static/icons/icon.svg" type="image/svg+xml" />
        <link
          rel="apple-touch-icon"
          href="/static/icons/apple-touch-icon.png"
        />
        <link rel="manifest" href="/manifest.webmanifest" />
        {styles && <link rel="stylesheet" href={url(styles.file)} />}
        {script?.imports?.map((file) => (
          <link rel="modulepreload" href={url(file)} />
        ))}
        {page.hasLeft && signOut && (
          <script type="module" src={url(signOut.file)}></script>
        )}
        {script && <script type="module" src={url(script.file)}></script>}
      </head>
      <body>
        <IconSprite />
        {withoutScript && <noscript>{withoutScript}</noscript>}
        <div id={entry} data-props={JSON.stringify(props)}>{body}</div>
        {startFailure && (
          <p id="start-failure" role="alert" hidden>
            <span>
              {startFailure.lead} <i></i>
            </span>
            <a class="button" href="">{startFailure.reload}</a>
          </p>
        )}
      </body>
    </html>,
  );
}
