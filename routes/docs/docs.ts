/** The documentation: OpenAPI with Swagger UI, the realtime events beside it, all from this host. */

import type { OpenAPIHono } from "@hono/zod-openapi";
import { Hono } from "hono";
import { REFRESH_COOKIE, SESSION_COOKIE } from "../auth/session_cookie.ts";
import type { AppEnv } from "../deps.ts";
import { asyncApiDocument } from "./asyncapi.ts";
import { problemsPage, swaggerPage } from "./docs_pages.tsx";
import { eventsPage } from "./events_page.tsx";

const DESCRIPTION = `
Real-time chat. Request a code with \`POST /api/auth/request-code\`, trade it for a token with
\`POST /api/auth/verify-code\`, and send the token as \`Authorization: Bearer …\` (this page is signed in
by the cookie, as soon as you try it out). Messages are posted over the realtime connection: see
[Realtime events](/docs/events). Errors are explained under [Problems](/docs/problems).
`;

/** Mounted at the root. @param api the app whose routes are documented, also those added later */
export function docsRoutes(api: OpenAPIHono<AppEnv>): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  // Made when first asked for: a start should not wait for pages that few look at.
  const openApi = once(() => openApiDocument(api));
  const asyncApi = once(asyncApiDocument);
  app.get("/docs", (c) => c.redirect("/docs/", 301));
  app.get("/docs/openapi.json", (c) => c.json(openApi()));
  app.get("/docs/asyncapi.json", (c) => c.json(asyncApi()));

  const pages = {
    "/docs/": swaggerPage,
    "/docs/events": eventsPage,
    "/docs/problems": problemsPage,
  };
  for (const [path, render] of Object.entries(pages)) {
    const html = once(render);
    app.get(path, (c) => c.html(html()));
  }
  return app;
}

function openApiDocument(api: OpenAPIHono<AppEnv>) {
  const { openAPIRegistry: registry } = api;
  registry.registerComponent("securitySchemes", "bearer", {
    type: "http",
    scheme: "bearer",
    bearerFormat: "JWT",
  });
  registry.registerComponent(
    "securitySchemes",
    "cookie",
    cookieScheme(SESSION_COOKIE),
  );
  registry.registerComponent(
    "securitySchemes",
    "refreshCookie",
    cookieScheme(REFRESH_COOKIE),
  );
  return api.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "ChatKet",
      version: "1.0.0",
      description: DESCRIPTION,
      license: { name: "MIT", url: "https://spdx.org/licenses/MIT.html" },
    },
    // The origin that serves the document.
    servers: [{ url: "/" }],
  });
}

function cookieScheme(name: string) {
  const description = `Over https the name is \`__Host-${name}\`.`;
  return { type: "apiKey", in: "cookie", name, description } as const;
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
