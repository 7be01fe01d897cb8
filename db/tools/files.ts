/**
 * `deno task files read` and `write`: what the server may read or write besides its own files, as
 * `--allow-read` and `--allow-write` want it. That is `DATA_DIR`, the certificates that the settings
 * name, and the socket of PostgreSQL.
 */

import { filesOf, parsePostgresServer } from "../engine/postgres_server.ts";

function files(kind: string | undefined): string[] {
  const variable = (name: string) => Deno.env.get(name) || undefined;
  const dataDir = variable("DATA_DIR") ?? ".data";
  const databaseUrl = variable("DATABASE_URL");
  if (databaseUrl === undefined) return [dataDir];
  try {
    const { read, write } = filesOf(parsePostgresServer(databaseUrl, variable));
    return [dataDir, ...kind === "write" ? write : read];
  } catch {
    // The server itself says what is wrong with it.
    return [dataDir];
  }
}

if (import.meta.main) {
  const line = files(Deno.args[0]).join(",");
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}
