/** The documentation's pages: Swagger UI's frame, the realtime events, the problems. */

import type { ComponentChildren } from "preact";
import { renderToString } from "preact-render-to-string";
import type { z } from "zod";
import { SUBPROTOCOL } from "../../realtime/protocol/protocol.ts";
import { PROBLEMS } from "../problems.ts";
import { jsonSchema } from "./asyncapi.ts";
import {
  CLIENT_EVENT_DOCS,
  RefusalSchema,
  SERVER_EVENT_DOCS,
} from "./event_catalogue.ts";

const CLOSE_CODES: readonly (readonly [number, string])[] = [
  [1003, "a binary frame"],
  [1009, "a frame above 16 KiB"],
  [1012, "the server restarts: come back"],
  [4401, "the token expired or its user is gone: sign in, do not come back"],
  [4403, "removed: do not come back"],
  [4408, "the client read too slowly: come back and sync"],
  [
    4412,
    "the session belongs to another user than the subprotocol entry `user.<id>` names: do not come back",
  ],
  [4429, "too many frames: come back"],
];

function page(title: string, head: ComponentChildren, body: ComponentChildren) {
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

/** Swagger UI, started by our own script: the page itself holds none. */
export function swaggerPage(): string {
  return page(
    "REST API",
    <>
      <link rel="stylesheet" href="/docs/swagger-ui.css" />
      <script src="/docs/swagger-ui-bundle.js" defer></script>
      <script src="/docs/swagger_init.js" defer></script>
    </>,
    <main id="swagger-ui"></main>,
  );
}

export function eventsPage(): string {
  return page(
    "Realtime events",
    null,
    <main class="reference">
      <h1>Realtime events</h1>
      <Introduction />
      <h2>Client → server</h2>
      {Object.entries(CLIENT_EVENT_DOCS).map(([name, event]) => (
        <section key={name} id={`client-${name}`}>
          <h3>
            <code>{name}</code>
          </h3>
          <p>{event.summary}</p>
          <Fields caption="data" schema={event.data} />
          <Fields caption="ack data, beside success" schema={event.ack} />
          <Example frame={{ id: 1, event: name, data: event.example }} />
        </section>
      ))}
      <h2>Refused events</h2>
      <p>
        An event that is refused is acked with{" "}
        <code>success: false</code>; the connection stays.
      </p>
      <Fields caption="ack data" schema={RefusalSchema} />
      <h2>Server → client</h2>
      {Object.entries(SERVER_EVENT_DOCS).map(([name, event]) => (
        <section key={name} id={`server-${name}`}>
          <h3>
            <code>{name}</code>
          </h3>
          <p>{event.summary}</p>
          <Fields caption="data" schema={event.data} />
          <Example frame={{ event: name, data: event.example }} />
        </section>
      ))}
      <h2 id="close-codes">Close codes</h2>
      <table>
        <tbody>
          {CLOSE_CODES.map(([code, meaning]) => (
            <tr key={code}>
              <th scope="row">{code}</th>
              <td>{meaning}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </main>,
  );
}

function Introduction() {
  return (
    <>
      <p>
        Connect to <code>GET /ws</code> with the subprotocol{" "}
        <code>{SUBPROTOCOL}</code>. A browser is known by its session cookie;
        any other client offers a second subprotocol{" "}
        <code>{"bearer.<accessToken>"}</code>. The token never stands in the
        URL.
      </p>
      <p>
        Every frame is JSON text. A client frame is one envelope{" "}
        <code>{'{ "id"?, "event", "data" }'}</code>; with an <code>id</code>
        {" "}
        the server answers{" "}
        <code>{'{ "ack": id, "data": { "success": … } }'}</code>.{" "}
        A server frame is one envelope or an array of them.
      </p>
      <p>
        Where WebSockets are blocked, <code>GET /api/events</code>{" "}
        is the same stream as Server-Sent Events, and{" "}
        <code>{"POST /api/events?connection=<id>"}</code>{" "}
        with one envelope answers its ack. The last event of a stream that the
        server ends is <code>close</code>, with the code and the reason.
      </p>
    </>
  );
}

function Example({ frame }: { frame: unknown }) {
  return <pre tabIndex={0}><code>{JSON.stringify(frame, null, 2)}</code></pre>;
}

function Fields({ caption, schema }: { caption: string; schema: z.ZodType }) {
  const variants = objectVariants(jsonSchema(schema) as JsonSchema);
  return (
    <>
      {variants.map((variant, index) => {
        const fields = Object.entries(variant.properties ?? {});
        if (fields.length === 0) return null;
        return (
          <table key={index}>
            <caption>{caption}</caption>
            <thead>
              <tr>
                <th scope="col">field</th>
                <th scope="col">type</th>
                <th scope="col">meaning</th>
              </tr>
            </thead>
            <tbody>
              {fields.map(([name, field]) => (
                <tr key={name}>
                  <th scope="row">
                    <code>
                      {name}
                      {variant.required?.includes(name) ? "" : "?"}
                    </code>
                  </th>
                  <td>
                    <code>{typeName(field)}</code>
                  </td>
                  <td>{field.description ?? ""}</td>
                </tr>
              ))}
            </tbody>
          </table>
        );
      })}
    </>
  );
}

/** The part of JSON Schema that our schemas come out as. */
interface JsonSchema {
  type?: string;
  description?: string;
  const?: unknown;
  enum?: unknown[];
  items?: JsonSchema;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  anyOf?: JsonSchema[];
  format?: string;
}

function objectVariants(schema: JsonSchema): JsonSchema[] {
  return schema.anyOf ?? [schema];
}

function typeName(schema: JsonSchema): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) {
    return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  }
  if (schema.items !== undefined) return `${typeName(schema.items)}[]`;
  if (schema.properties !== undefined) {
    return `{ ${
      Object.keys(schema.properties).map((name) =>
        schema.required?.includes(name) ? name : `${name}?`
      ).join(", ")
    } }`;
  }
  return schema.format ?? schema.type ?? "any";
}

export function problemsPage(): string {
  return page(
    "Problems",
    null,
    <main class="reference">
      <h1>Problems</h1>
      <p>
        Errors are <code>application/problem+json</code> (RFC 9457).{" "}
        <code>code</code> is stable; <code>detail</code>{" "}
        is for people. With status 429 and 503, <code>Retry-After</code>{" "}
        says in seconds when to try again.
      </p>
      <table>
        <thead>
          <tr>
            <th scope="col">code</th>
            <th scope="col">status</th>
            <th scope="col">meaning</th>
          </tr>
        </thead>
        <tbody>
          {Object.entries(PROBLEMS).map(([code, { status, title }]) => (
            <tr key={code} id={code}>
              <th scope="row">
                <code>{code}</code>
              </th>
              <td>{status}</td>
              <td>{title}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </main>,
  );
}
