/** The documentation's pages but for the events: Swagger UI's frame, and the problems. */

import { PROBLEMS } from "../problems.ts";
import { documentPage } from "./document_page.tsx";

/** Swagger UI, started by our own script: the page itself holds none. */
export function swaggerPage(): string {
  return documentPage(
    "REST API",
    <>
      <link rel="stylesheet" href="/docs/swagger-ui.css" />
      <script src="/docs/swagger-ui-bundle.js" defer></script>
      <script src="/docs/swagger_init.js" defer></script>
    </>,
    <main id="swagger-ui"></main>,
  );
}

export function problemsPage(): string {
  return documentPage(
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
