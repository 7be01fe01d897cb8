/** Shows a problem as a page to a person who walked into it; programs keep `application/problem+json`. */

import type { Context, MiddlewareHandler } from "hono";
import { accepts } from "hono/accepts";
import { renderToString } from "preact-render-to-string";
import type { BuildManifest } from "../deps.ts";
import { pageLanguage, pageTheme } from "../pages/page_request.ts";
import type { ProblemBody } from "../problems.ts";

export function problemPage(manifest: BuildManifest): MiddlewareHandler {
  return async function problemPage(c, next) {
    // Read first: an upgraded request has no headers left to read.
    const isPerson = asksForPage(c);
    await next();
    const type = c.res.headers.get("content-type");
    if (!isPerson || type !== "application/problem+json") return;
    const { headers, status } = c.res;
    const html = render(manifest, c, await c.res.json());
    headers.set("content-type", "text/html; charset=utf-8");
    headers.delete("content-length");
    c.res = new Response(html, { status, headers });
  };
}

/** A browser that opens an address names HTML; `fetch`, curl and the like take anything. */
function asksForPage(c: Context): boolean {
  const supports = ["text/html"];
  return !c.req.path.startsWith("/api/") &&
    accepts(c, { header: "Accept", supports, default: "" }) !== "";
}

/** Problems are described in English; only the one that people meet has words in their language. */
function render(
  { entries: { styles } }: BuildManifest,
  c: Context,
  { code, title: english, detail: description, instance }: ProblemBody,
): string {
  const { lang, strings } = pageLanguage(c);
  const isLost = code === "not_found";
  const title = isLost ? strings.pageNotFound : english;
  const detail = isLost ? title : description;
  return "<!doctype html>" + renderToString(
    <html lang={lang} data-theme={pageTheme(c)}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>{`${title} · ChatKet`}</title>
        <link rel="icon" href="/static/icons/icon.svg" type="image/svg+xml" />
        {styles && (
          <link rel="stylesheet" href={`/static/build/${styles.file}`} />
        )}
      </head>
      <body>
        <main class="login">
          <div class="card">
            <h1>{title}</h1>
            {detail !== title && <p>{detail}</p>}
            {instance && <p class="hint">{instance}</p>}
            <p>
              <a href="/">{strings.backToRooms}</a>
            </p>
          </div>
        </main>
      </body>
    </html>,
  );
}
