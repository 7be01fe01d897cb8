import assert from "node:assert/strict";
import { filesOf, parsePostgresServer, readTls } from "./postgres_server.ts";

const parse = (url: string, variables: Record<string, string> = {}) =>
  parsePostgresServer(url, (name) => variables[name]);

const NOTHING_SAID = {
  port: 5432,
  user: undefined,
  password: undefined,
  database: undefined,
  tls: false,
  applicationName: undefined,
  options: undefined,
};

Deno.test("parsePostgresServer() reads what a URL says", () => {
  assert.deepEqual(
    parse("postgres://chat:p%40ss%2Fword@db.example.org:5433/my%20chat"),
    {
      ...NOTHING_SAID,
      host: "db.example.org",
      port: 5433,
      user: "chat",
      password: "p@ss/word",
      database: "my chat",
    },
  );
  assert.equal(parse("postgres://[::1]/chat").host, "::1");
  assert.equal(parse("postgres://chat@h").database, "chat");
  const { applicationName, options } = parse(
    "postgres://h?application_name=chat&options=-c%20search_path%3Dchat",
  );
  assert.deepEqual([applicationName, options], [
    "chat",
    "-c search_path=chat",
  ]);
});

Deno.test("parsePostgresServer() finds a Unix socket however it is written", () => {
  const socket = {
    ...NOTHING_SAID,
    host: "/var/run/postgresql",
    user: "u",
    database: "db",
  };
  for (
    const url of [
      "postgres://u@%2Fvar%2Frun%2Fpostgresql/db",
      "postgres://u@/db?host=/var/run/postgresql",
      "postgres:///db?host=/var/run/postgresql&user=u",
      "postgres://u@localhost/db?host=%2Fvar%2Frun%2Fpostgresql",
      "postgresql://u@%2fvar%2frun%2fpostgresql/db?sslmode=verify-full",
    ]
  ) assert.deepEqual(parse(url), socket, url);
  const other = parse("postgres://u@%2Ftmp:5433/db");
  assert.deepEqual([other.host, other.port], ["/tmp", 5433]);
  assert.deepEqual(filesOf(other), {
    read: ["/tmp/.s.PGSQL.5433"],
    write: ["/tmp/.s.PGSQL.5433"],
  });
});

Deno.test("parsePostgresServer() takes from the PG variables what the URL does not say", () => {
  const variables = {
    PGUSER: "chat",
    PGPASSWORD: "secret",
    PGDATABASE: "rooms",
    PGPORT: "5433",
    PGSSLROOTCERT: "/etc/ssl/root.pem",
    USER: "nobody",
  };
  const server = parse("postgres://h", variables);
  assert.deepEqual(server, {
    ...NOTHING_SAID,
    host: "h",
    port: 5433,
    user: "chat",
    password: "secret",
    database: "rooms",
    tls: {
      verify: true,
      rootCertificate: "/etc/ssl/root.pem",
      certificate: undefined,
      key: undefined,
    },
  });
  assert.deepEqual(filesOf(server), { read: ["/etc/ssl/root.pem"], write: [] });
  const said = "postgres://a:b@h:1/c?sslrootcert=/d&sslmode=verify-full";
  assert.deepEqual(parse(said, variables), {
    ...{ ...parse(said), port: 1, user: "a", password: "b", database: "c" },
  });
});

Deno.test("parsePostgresServer() verifies a certificate unless it is told not to", () => {
  const verify = (query: string, variables?: Record<string, string>) => {
    const { tls } = parse(`postgres://h/d?${query}`, variables);
    return tls && tls.verify;
  };
  for (const mode of ["prefer", "require", "verify-ca", "verify-full"]) {
    assert.equal(verify(`sslmode=${mode}`), true, mode);
    assert.equal(verify("", { PGSSLMODE: mode }), true, mode);
  }
  assert.equal(verify("sslrootcert=/x"), true);
  assert.equal(verify("ssl=true"), true);
  assert.equal(verify("sslmode=no-verify"), false);
  assert.equal(verify("sslmode=disable&sslrootcert=/x"), false);
  assert.equal(parse("postgres://h?sslmode=disable").tls, false);
  assert.equal(parse("postgres://h").tls, false);
});

Deno.test("parsePostgresServer() refuses what it does not understand, without the password", () => {
  const refused: [string, Record<string, string>, RegExp][] = [
    [
      "postgres://h?sslmode=on",
      {},
      /sslmode or PGSSLMODE: on is not known; there are /,
    ],
    ["postgres://h?ssl=maybe", {}, /PGSSLMODE: maybe is not known/],
    ["postgres://h", { PGSSLMODE: "toString" }, /PGSSLMODE: toString/],
    ["postgres://h?port=x", {}, /"x", in it or in PGPORT/],
    ["postgres://h", { PGPORT: "70000" }, /"70000", in it or in PGPORT/],
    ["postgres://h?sslcert=/x", {}, /sslcert and sslkey, or PGSSLCERT/],
    ["postgres://u:hidden/x@h/d", {}, /not accepted/],
  ];
  for (const [url, variables, fault] of refused) {
    assert.throws(() => parse(url, variables), (error: Error) => {
      assert.match(error.message, fault);
      assert.ok(!error.message.includes("hidden"));
      return true;
    });
  }
});

Deno.test("readTls() names the file that cannot be used", async () => {
  const read = (query: string) => readTls(parse(`postgres://h?${query}`));
  await assert.rejects(
    read("sslrootcert=/nowhere/root.pem"),
    /^Error: sslrootcert or PGSSLROOTCERT: No such file.*\/nowhere\/root\.pem/,
  );
  const file = await Deno.makeTempFile();
  try {
    await assert.rejects(
      read(`sslrootcert=${file}`),
      /PGSSLROOTCERT: .* is not in PEM form/,
    );
    await Deno.writeTextFile(file, "-----BEGIN CERTIFICATE-----\n");
    assert.deepEqual(await read(`sslrootcert=${file}`), {
      rejectUnauthorized: true,
      ca: "-----BEGIN CERTIFICATE-----\n",
    });
  } finally {
    await Deno.remove(file);
  }
  assert.deepEqual(await read("sslrootcert=system"), {
    rejectUnauthorized: true,
  });
});
