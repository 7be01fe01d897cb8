/** Compares what the server says with the JSON schemas of a document that it serves. */

import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";

/** Any part of a JSON document. */
export type Json =
  | string
  | number
  | boolean
  | null
  | Json[]
  | { [key: string]: Json };

export type JsonObject = { [key: string]: Json };

/** The faults of a value by the schema that stands at a place of the document; none when it fits. */
export type Check = (value: unknown) => string[];

/**
 * Checks by the schemas inside a document.
 *
 * An answer must hold nothing that its schema leaves out, although the document, being for clients
 * that ignore what they do not know, does not say so.
 */
export function documentChecker(
  document: JsonObject,
): (...place: string[]) => Check {
  const ajv = new Ajv2020({
    allErrors: true,
    strictSchema: true,
    strictNumbers: true,
    strictTuples: false,
    // `const` and unions stand without a type of their own.
    strictTypes: false,
    strictRequired: false,
  });
  // Exported as CommonJS: the function is under `default`.
  (addFormats as unknown as { default: (to: Ajv2020) => void }).default(ajv);
  // What stands around the schemas, and a word of OpenAPI's own in them.
  for (const word of [...Object.keys(document), "example"]) {
    ajv.addKeyword(word);
  }
  ajv.addSchema(closed(document) as JsonObject, "document");
  return (...place) => {
    const pointer = place.map((step) =>
      encodeURIComponent(step.replaceAll("~", "~0").replaceAll("/", "~1"))
    ).join("/");
    const validate = ajv.compile({ $ref: `document#/${pointer}` });
    return (value) => {
      if (validate(value)) return [];
      return (validate.errors ?? []).map(({ instancePath, message, params }) =>
        `${instancePath} ${message} ${JSON.stringify(params)}`
      );
    };
  };
}

/** The same, with every object that names its properties closed to others. */
function closed(part: Json): Json {
  if (Array.isArray(part)) return part.map(closed);
  if (typeof part !== "object" || part === null) return part;
  const copy = Object.fromEntries(
    Object.entries(part).map(([key, value]) => [key, closed(value)]),
  );
  return part.type === "object" && part.additionalProperties === undefined
    ? { ...copy, additionalProperties: false }
    : copy;
}
