/** The page that explains the realtime events, from the same definitions as the AsyncAPI document. */

import type { z } from "zod";
import {
  CLOSE_CODE_MEANINGS,
  mayReconnect,
} from "../../realtime/protocol/close_codes.ts";
import { Refusal } from "../../realtime/protocol/envelope.ts";
import { SUBPROTOCOL } from "../../realtime/protocol/handshake.ts";
import { MAX_FRAME_BYTES } from "../../realtime/protocol/limits.ts";
import { isRetryable, REFUSALS } from "../../realtime/protocol/refusals.ts";
import type { RefusalCode } from "../../realtime/protocol/protocol.ts";
import { documentPage } from "./document_page.tsx";
import {
  clientEvents,
  clientFrame,
  jsonSchema,
  type NamedSchemas,
  serverEvents,
  serverFrame,
} from "./event_docs.ts";
import { Fields } from "./schema_fields.tsx";

/** The page, the same on every call. */
export function eventsPage(): string {
  const named: NamedSchemas = {};
  const schema = (of: z.ZodType) => jsonSchema(of, named);
  return documentPage(
    "Realtime events",
    null,
    <main class="reference">
      <h1>Realtime events</h1>
      <Introduction />
      <h2>Client → server</h2>
      {clientEvents().map(([name, event]) => (
        <section key={name} id={`client-${name}`}>
          <h3>
            <code>{name}</code>
          </h3>
          <p>{event.summary}</p>
          <Fields caption="data" schema={schema(event.data)} />
          <Fields
            caption="ack data, beside success"
            schema={schema(event.ack)}
          />
          <Example frame={clientFrame(name, event)} />
        </section>
      ))}
      <h2>Refused events</h2>
      <p>
        An event that is refused is acked with{" "}
        <code>success: false</code>; the connection stays.
      </p>
      <Fields caption="ack data" schema={schema(Refusal)} />
      <RefusalCodes />
      <h2>Server → client</h2>
      {serverEvents().map(([name, event]) => (
        <section key={name} id={`server-${name}`}>
          <h3>
            <code>{name}</code>
          </h3>
          <p>{event.summary}</p>
          <Fields caption="data" schema={schema(event.data)} />
          <Example frame={serverFrame(name, event)} />
        </section>
      ))}
      <h2 id="shapes">Shapes</h2>
      {Object.entries(named).map(([name, shape]) => (
        <section key={name} id={`shape-${name}`}>
          <Fields caption={name} schema={shape} />
        </section>
      ))}
      <CloseCodes />
    </main>,
  );
}

function RefusalCodes() {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">code</th>
          <th scope="col">meaning</th>
          <th scope="col">may succeed later</th>
        </tr>
      </thead>
      <tbody>
        {Object.entries(REFUSALS).map(([code, { meaning }]) => (
          <tr key={code}>
            <th scope="row">
              <code>{code}</code>
            </th>
            <td>{meaning}</td>
            <td>{isRetryable(code as RefusalCode) ? "yes" : "no"}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function CloseCodes() {
  return (
    <>
      <h2 id="close-codes">Close codes</h2>
      <table>
        <thead>
          <tr>
            <th scope="col">code</th>
            <th scope="col">meaning</th>
            <th scope="col">reconnect</th>
          </tr>
        </thead>
        <tbody>
          {Object.entries(CLOSE_CODE_MEANINGS).map(([code, meaning]) => (
            <tr key={code}>
              <th scope="row">{code}</th>
              <td>{meaning}</td>
              <td>{mayReconnect(Number(code)) ? "yes" : "no"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
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
        Every frame is JSON text. A client frame has at most{" "}
        {MAX_FRAME_BYTES / 1024} KiB and is one envelope{" "}
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
