/** The PostgreSQL server that `DATABASE_URL` and the variables of PostgreSQL's own programs name. */

import { parsePostgresUrl } from "./server_url.ts";

export interface PostgresServer {
  /** A name or an address, or, with a slash at its beginning, the folder of a Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly database: string | undefined;
  readonly tls: TlsFiles | false;
  /** What `pg_stat_activity` shows. */
  readonly applicationName: string | undefined;
  /** Options for the server process, such as `-c search_path=chat`. */
  readonly options: string | undefined;
}

/** How the connection is encrypted, with the files that are to be read. */
export interface TlsFiles {
  /** False takes anybody's certificate. */
  readonly verify: boolean;
  readonly rootCertificate: string | undefined;
  readonly certificate: string | undefined;
  readonly key: string | undefined;
}

/** The contents of {@link TlsFiles}. */
export interface TlsContents {
  readonly rejectUnauthorized: boolean;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** Gives a variable of the environment. */
export type ReadVariable = (name: string) => string | undefined;

/** What an `sslmode` comes to. A certificate is either verified, its name too, or it is not. */
const TLS_MODES: Readonly<Record<string, "off" | "verify" | "no-verify">> = {
  "disable": "off",
  "allow": "verify",
  "prefer": "verify",
  "require": "verify",
  "verify-ca": "verify",
  "verify-full": "verify",
  "no-verify": "no-verify",
};

/** Values of the parameter `ssl`, and the modes they stand for. */
const TLS_WORDS: Readonly<Record<string, string>> = {
  "true": "verify-full",
  "1": "verify-full",
  "false": "disable",
  "0": "disable",
  "no-verify": "no-verify",
};

/**
 * Reads a PostgreSQL URL; what it does not say is taken from the variables `PGUSER`, `PGPASSWORD`,
 * `PGDATABASE`, `PGPORT` and `PGSSL…`. No file is opened.
 *
 * @throws {Error} in one line, without the password, when something in it cannot be understood
 */
export function parsePostgresServer(
  databaseUrl: string,
  readVariable: ReadVariable,
): PostgresServer {
  const url = parsePostgresUrl(databaseUrl);
  if (url === undefined) throw new Error("its value is not accepted");
  const parameter = (name: string) => url.searchParams.get(name) || undefined;
  const variable = (name: string) => readVariable(name) || undefined;
  const part = (text: string) => decodeURIComponent(text) || undefined;
  const host = parameter("host") ??
    decodeURIComponent(url.hostname).replace(/^\[(.+)\]$/, "$1");
  const user = part(url.username) ?? parameter("user") ??
    variable("PGUSER") ?? variable("USER");
  return {
    host,
    port: portOf(
      url.port || parameter("port") || variable("PGPORT") || "5432",
    ),
    user,
    password: part(url.password) ?? parameter("password") ??
      variable("PGPASSWORD"),
    database: part(url.pathname.slice(1)) ?? parameter("dbname") ??
      variable("PGDATABASE") ?? user,
    tls: host.startsWith("/") ? false : tlsOf(parameter, variable),
    applicationName: parameter("application_name") ?? variable("PGAPPNAME"),
    options: parameter("options") ?? variable("PGOPTIONS"),
  };
}

function portOf(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port > 0 && port < 65_536) return port;
  throw new Error(
    `${JSON.stringify(text)}, in it or in PGPORT, is not a port`,
  );
}

function tlsOf(
  parameter: ReadVariable,
  variable: ReadVariable,
): TlsFiles | false {
  const file = (name: string) =>
    parameter(name) ?? variable(`PG${name.toUpperCase()}`);
  const [rootCertificate, certificate, key] = [
    file("sslrootcert"),
    file("sslcert"),
    file("sslkey"),
  ];
  if ((certificate === undefined) !== (key === undefined)) {
    throw new Error(
      "sslcert and sslkey, or PGSSLCERT and PGSSLKEY, belong together",
    );
  }
  const word = parameter("ssl");
  const name = parameter("sslmode") ??
    (word === undefined ? undefined : TLS_WORDS[word] ?? word) ??
    variable("PGSSLMODE") ??
    (rootCertificate ?? certificate ? "verify-full" : "disable");
  const mode = Object.hasOwn(TLS_MODES, name) ? TLS_MODES[name] : undefined;
  if (mode === undefined) {
    throw new Error(
      `sslmode or PGSSLMODE: ${name} is not known; there are ${
        Object.keys(TLS_MODES).join(", ")
      }`,
    );
  }
  if (mode === "off") return false;
  return {
    verify: mode === "verify",
    // The certificates that the runtime has.
    rootCertificate: rootCertificate === "system" ? undefined : rootCertificate,
    certificate,
    key,
  };
}

/** The Unix socket of a server; undefined when it is reached over the network. */
export function socketOf(
  { host, port }: Pick<PostgresServer, "host" | "port">,
): string | undefined {
  return host.startsWith("/") ? `${host}/.s.PGSQL.${port}` : undefined;
}

/**
 * Reads the files that the encryption needs, and looks whether a Unix socket may be used: the driver
 * would wait for ever for one that the process has no permission for.
 *
 * @throws {Error} in one line, when a file cannot be used
 */
export async function readTls(
  server: PostgresServer,
): Promise<TlsContents | false> {
  const socket = socketOf(server);
  if (socket !== undefined) await askForSocket(socket);
  if (server.tls === false) return false;
  const { verify, rootCertificate, certificate, key } = server.tls;
  return {
    rejectUnauthorized: verify,
    ...rootCertificate && { ca: await readPem("sslrootcert", rootCertificate) },
    ...certificate && { cert: await readPem("sslcert", certificate) },
    ...key && { key: await readPem("sslkey", key) },
  };
}

async function askForSocket(path: string): Promise<void> {
  for (const name of ["read", "write"] as const) {
    const { state } = await Deno.permissions.query({ name, path });
    if (state !== "granted") {
      throw new Error(
        `the process may not use ${path}: --allow-${name} does not name it`,
      );
    }
  }
}

async function readPem(name: string, path: string): Promise<string> {
  const setting = `${name} or PG${name.toUpperCase()}`;
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    const [fault] = (error as Error).message.split("\n");
    throw new Error(`${setting}: ${fault}`);
  }
  if (text.includes("-----BEGIN ")) return text;
  throw new Error(`${setting}: ${path} is not in PEM form`);
}

/** Files that the process needs permission for, so that it can reach the server. */
export function filesOf(
  server: PostgresServer,
): { read: string[]; write: string[] } {
  const socket = socketOf(server);
  const write = socket === undefined ? [] : [socket];
  const { rootCertificate, certificate, key } = server.tls ||
    {} as Partial<TlsFiles>;
  const pems = [rootCertificate, certificate, key].filter((path) =>
    path !== undefined
  );
  return { read: [...pems, ...write], write };
}
