import { type JsonSchema, referredName } from "./event_docs.ts";

/** A schema's fields as a table for each of its variants; of a named schema a link to it. */
export function Fields(
  { caption, schema }: { caption: string; schema: JsonSchema },
) {
  const name = referredName(schema);
  if (name !== undefined) {
    return (
      <p>
        {caption}:{" "}
        <a href={`/docs/events#shape-${name}`}>
          <code>{name}</code>
        </a>
      </p>
    );
  }
  return (
    <>
      {objectVariants(schema).map((variant, index) => {
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

function objectVariants(schema: JsonSchema): JsonSchema[] {
  return schema.anyOf ?? [schema];
}

function typeName(schema: JsonSchema): string {
  const name = referredName(schema);
  if (name !== undefined) return name;
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
