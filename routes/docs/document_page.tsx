/** What stands around every page of the documentation. */

import type { ComponentChildren } from "preact";
import { renderToString } from "preact-render-to-string";

/** @param head what a page needs in its head beside the title and the common styles */
export function documentPage(
  title: string,
  head: ComponentChildren,
  body: ComponentChildren,
) {
  return "<!doctype html>" + renderToString(
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>{`${title} · ChatKet`}</title>
        <link rel="icon" href="/static/icons/icon.svg" type="image/svg+xml" />
        <link rel="stylesheet" href="/docs/docs.css" />
        {head}
      </head>
      <body>
        <nav aria-label="Documentation">
          <a href="/docs/">REST API</a>
          <a href="/docs/events">Realtime events</a>
          <a href="/docs/problems">Problems</a>
          <a href="/docs/openapi.json">OpenAPI</a>
          <a href="/docs/asyncapi.json">AsyncAPI</a>
        </nav>
        {body}
      </body>
    </html>,
  );
}
