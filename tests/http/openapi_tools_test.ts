/** The OpenAPI document in the tools of others: a linter, a maker of types, a client of those types. */

import { createConfig, lintFromString } from "@redocly/openapi-core";
import assert from "node:assert/strict";
import openapiTS, { astToString } from "openapi-typescript";
import { useTestApp } from "../helpers/app.ts";

const app = useTestApp();

const ROOT = new URL("../../", import.meta.url);

async function readDocument(): Promise<string> {
  const answer = await fetch(`${app.origin}/docs/openapi.json`);
  assert.equal(answer.status, 200);
  return await answer.text();
}

Deno.test("Redocly's recommended rules find neither errors nor warnings in the OpenAPI document", async () => {
  const config = await createConfig({ extends: ["recommended"] });
  const lint = async (source: string) => {
    const absoluteRef = `${app.origin}/docs/openapi.json`;
    const problems = await lintFromString({ source, config, absoluteRef });
    return problems.map(({ severity, ruleId, location }) =>
      `${severity} ${ruleId} ${location[0]?.pointer}`
    );
  };
  const document = JSON.parse(await readDocument());
  assert.deepEqual(await lint(JSON.stringify(document)), []);
  // The premise: they do look.
  delete document.servers;
  assert.deepEqual(await lint(JSON.stringify(document)), [
    "error no-empty-servers #/openapi",
  ]);
});

Deno.test("a client whose types are made from the OpenAPI document signs in, makes a room, posts and reads", async () => {
  await using stack = new AsyncDisposableStack();
  const artifacts = new URL("tests/artifacts/", ROOT);
  await Deno.mkdir(artifacts, { recursive: true });
  // Below the project: what it imports is found by the project's settings.
  const folder = await Deno.makeTempDir({ dir: artifacts.pathname });
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const types = await openapiTS(JSON.parse(await readDocument()));
  await Deno.writeTextFile(`${folder}/api_types.ts`, astToString(types));
  const client = `${folder}/api_client.ts`;
  await Deno.copyFile(new URL("tests/fixtures/api_client.ts", ROOT), client);

  const check = await new Deno.Command(Deno.execPath(), {
    args: ["check", "--quiet", client],
    stdin: "null",
  }).output();
  assert.equal(check.code, 0, new TextDecoder().decode(check.stderr));

  const { chat, askAsStranger } = await import(`file://${client}`);
  const wanted = { username: "typed", roomName: "Typed room", text: "Hello!" };
  const { user, room, messages } = await chat(app.origin, wanted);
  assert.equal(user.username, "typed");
  assert.deepEqual([room.name, room.memberCount], ["Typed room", 1]);
  assert.deepEqual(
    messages.map(({ seq, text, sender }: {
      seq: number;
      text: string;
      sender: unknown;
    }) => ({ seq, text, sender })),
    [{ seq: 1, text: "Hello!", sender: user }],
  );
  assert.equal((await askAsStranger(app.origin))?.code, "unauthorized");
});
