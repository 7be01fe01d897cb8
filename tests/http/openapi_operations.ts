/** The operations of the OpenAPI document as requests that can be sent, and their answers checked by it. */

import assert from "node:assert/strict";
import {
  BEARER_PREFIX,
  SUBPROTOCOL,
} from "../../realtime/protocol/handshake.ts";
import type { TestApp } from "../helpers/app.ts";
import { expectJson, postJson } from "../helpers/people.ts";
import {
  type Check,
  documentChecker,
  type Json,
  type JsonObject,
} from "./document_check.ts";
import { rawRequest } from "./raw_request.ts";

/** A request of an operation, made of the document's examples. */
export interface Ask {
  /** `POST /api/rooms/{id}/join` */
  readonly operation: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Answer {
  readonly status: number;
  readonly type: string | undefined;
  readonly text: string;
}

export interface Operation {
  readonly name: string;
  /** A request without what can be left out, one with each of that, and one for each example of the body. */
  readonly asks: readonly Ask[];
  /** `400 validation_failed` … */
  readonly problems: readonly string[];
  /** What in the answer is not as documented. */
  check(answer: Answer): string[];
}

interface Media {
  readonly schema: JsonObject;
  readonly examples?: Readonly<Record<string, { readonly value: Json }>>;
}

interface OperationDocs {
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: "path" | "query";
    readonly required: boolean;
    readonly schema: { readonly example?: string | number };
  }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, Media>> };
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, Media>> }>
  >;
}

/** Reads the operations from the document that the app serves. */
export async function readOperations(app: TestApp): Promise<Operation[]> {
  const answer = await fetch(`${app.origin}/docs/openapi.json`);
  const document = await expectJson<
    { paths: Record<string, Record<string, OperationDocs>> }
  >(answer, 200);
  const checker = documentChecker(document as unknown as JsonObject);
  return Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, docs]) =>
      readOperation(
        `${method.toUpperCase()} ${path}`,
        docs,
        (...place) => checker("paths", path, method, ...place),
      )
    )
  );
}

function readOperation(
  name: string,
  docs: OperationDocs,
  checker: (...place: string[]) => Check,
): Operation {
  checkExamples(name, docs, checker);
  const answers = Object.entries(docs.responses);
  return {
    name,
    asks: readAsks(name, docs),
    problems: answers.flatMap(([status, { content }]) =>
      Object.keys(content?.["application/problem+json"]?.examples ?? {})
        .map((code) => `${status} ${code}`)
    ),
    check({ status, type, text }) {
      const response = docs.responses[status];
      if (response === undefined) return [`${status} is not documented`];
      if (response.content === undefined) {
        return text === "" ? [] : ["a body is not documented"];
      }
      if (type === undefined || response.content[type] === undefined) {
        return [`${type} is not documented with ${status}`];
      }
      const place = ["responses", String(status), "content", type];
      const media = response.content[type];
      const faults = checker(...place, "schema")(
        /json$/.test(type) ? JSON.parse(text) : text,
      );
      if (type !== "application/problem+json") return faults;
      const { code } = JSON.parse(text);
      const known = Object.keys(media.examples ?? {});
      return known.includes(code)
        ? faults
        : [...faults, `${status} ${code} is not documented`];
    },
  };
}

/** Each example that the document gives fits the schema beside it. */
function checkExamples(
  name: string,
  { requestBody, responses }: OperationDocs,
  checker: (...place: string[]) => Check,
): void {
  const given: [string[], Readonly<Record<string, Media>>][] = [
    [["requestBody", "content"], requestBody?.content ?? {}],
    ...Object.entries(responses).map(([status, { content }]) =>
      [["responses", status, "content"], content ?? {}] as [
        string[],
        Readonly<Record<string, Media>>,
      ]
    ),
  ];
  for (const [place, content] of given) {
    for (const [type, { examples }] of Object.entries(content)) {
      for (const [title, { value }] of Object.entries(examples ?? {})) {
        const faults = checker(...place, type, "schema")(value);
        assert.deepEqual(faults, [], `${name}: the example "${title}"`);
      }
    }
  }
}

function readAsks(operation: string, docs: OperationDocs): Ask[] {
  const example = (place: string) => {
    const { schema, name } =
      docs.parameters?.find((each) => each.name === place) ?? assert.fail();
    assert.ok(
      schema.example !== undefined,
      `${operation}: the parameter ${name} has no example`,
    );
    return [name, String(schema.example)] as const;
  };
  const names = (where: "path" | "query", required: boolean) =>
    (docs.parameters ?? []).filter((each) =>
      each.in === where && each.required === required
    ).map((each) => each.name);
  const plain: Ask = {
    operation,
    parameters: Object.fromEntries(names("path", true).map(example)),
    query: Object.fromEntries(names("query", true).map(example)),
    headers: {},
  };
  if (docs.requestBody !== undefined) {
    const { examples = {} } = docs.requestBody.content["application/json"] ??
      assert.fail(`${operation} takes no JSON`);
    const bodies = Object.values(examples);
    assert.ok(bodies.length > 0, `${operation}: its body has no example`);
    return bodies.map(({ value }) => ({
      ...plain,
      body: JSON.stringify(value),
      headers: { "content-type": "application/json" },
    }));
  }
  return [
    plain,
    ...names("query", false).map((name) => {
      const [key, value] = example(name);
      return { ...plain, query: { ...plain.query, [key]: value } };
    }),
  ];
}

/** Somebody's session, with all its cookies. */
export interface Visitor {
  readonly token: string;
  readonly cookies: string;
}

/** Signs in and keeps both cookies. */
export async function visit(app: TestApp, username: string): Promise<Visitor> {
  const asked = await postJson(app, "/api/auth/request-code", { username });
  const { code } = await expectJson<{ code: string }>(asked, 200);
  const body = { username, code };
  const verified = await postJson(app, "/api/auth/verify-code", body);
  const cookies = verified.headers.getSetCookie()
    .map((cookie) => cookie.split(";")[0]).join("; ");
  const { accessToken } = await expectJson<{ accessToken: string }>(
    verified,
    200,
  );
  return { token: accessToken, cookies };
}

/** What a request carries to be known as the visitor's. */
export function carried(ask: Ask, { token, cookies }: Visitor): Ask {
  const headers: Record<string, string> = ask.operation === "GET /ws"
    ? {
      ...upgradeHeaders,
      "sec-websocket-protocol": `${SUBPROTOCOL}, ${BEARER_PREFIX}${token}`,
    }
    // The one operation that nothing but a cookie opens.
    : ask.operation === "POST /api/auth/refresh"
    ? { cookie: cookies }
    : { authorization: `Bearer ${token}` };
  return { ...ask, headers: { ...headers, ...ask.headers } };
}

export const upgradeHeaders = {
  upgrade: "websocket",
  connection: "Upgrade",
  "sec-websocket-version": "13",
  "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
};

/** Sends the request as it stands. Of a stream the first part is read. */
export async function send(app: TestApp, ask: Ask): Promise<Answer> {
  const [method = "", template = ""] = ask.operation.split(" ");
  const path = template.replace(
    /\{(\w+)\}/g,
    (_, name) => encodeURIComponent(ask.parameters[name] ?? ""),
  );
  const query = new URLSearchParams(ask.query).toString();
  const target = query === "" ? path : `${path}?${query}`;
  if (ask.operation === "GET /ws") {
    const { status, headers, body } = await rawRequest(app, [
      `GET ${target} HTTP/1.1`,
      `Host: 127.0.0.1:${app.port}`,
      ...Object.entries(ask.headers).map(([name, value]) =>
        `${name}: ${value}`
      ),
    ]);
    return { status, type: mediaType(headers), text: body };
  }
  const stop = new AbortController();
  const answer = await fetch(app.origin + target, {
    method,
    headers: ask.headers,
    redirect: "manual",
    signal: stop.signal,
    ...ask.body === undefined ? {} : { body: ask.body },
  });
  const type = mediaType(answer.headers);
  const { status } = answer;
  if (type !== "text/event-stream") {
    return { status, type, text: await answer.text() };
  }
  const { value } = await answer.body!.getReader().read();
  stop.abort();
  return { status, type, text: new TextDecoder().decode(value) };
}

function mediaType(headers: Headers): string | undefined {
  return headers.get("content-type")?.split(";")[0];
}

/** Opens an event stream and keeps it. */
export async function openStream(app: TestApp, { token }: Visitor) {
  const stop = new AbortController();
  const answer = await fetch(`${app.origin}/api/events`, {
    headers: { authorization: `Bearer ${token}` },
    signal: stop.signal,
  });
  const { value } = await answer.body!.getReader().read();
  const hello = new TextDecoder().decode(value).replace(/^data: /, "");
  return {
    hello: JSON.parse(hello),
    [Symbol.dispose]: () => stop.abort(),
  };
}
