import assert from "node:assert/strict";
import { CONFIG_VARIABLES, ConfigError, loadConfig } from "./config.ts";

const SECRET = "0123456789abcdef0123456789abcdef";

/** What production needs at least. */
const PRODUCTION = {
  CHATKET_ENV: "production",
  JWT_SECRET: SECRET,
  CODE_DELIVERY: "console",
};

function refusal(env: Record<string, string | undefined>): string {
  try {
    loadConfig(env);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.message;
  }
  return assert.fail(`accepted: ${JSON.stringify(env)}`);
}

Deno.test("loadConfig() of nothing gives the documented defaults", () => {
  assert.deepEqual(loadConfig({}), {
    environment: "development",
    databaseUrl: undefined,
    redisUrl: undefined,
    dataDir: ".data",
    port: 3000,
    host: "0.0.0.0",
    jwtSecret: undefined,
    jwtExpiresInSeconds: 604_800,
    codeDelivery: "response",
    mail: undefined,
    rateLimit: { messages: 5, windowMs: 10_000, muteMs: 30_000 },
    frameLimit: { perSecond: 20, burst: 200 },
    databasePool: 10,
    durability: "full",
    roomsPerHour: 30,
    maxRoomsPerUser: 500,
    maxMembershipsPerUser: 5_000,
    restLimitPerMinute: 600,
    maxSocketsPerUser: 25,
    maxSocketsPerAddress: 500,
    authRateLimit: true,
    publicOrigin: undefined,
    trustedProxyHops: 0,
    logLevel: "info",
    metricsToken: undefined,
    messageRetentionDays: undefined,
  });
});

Deno.test("loadConfig() takes an empty variable as unset", () => {
  assert.deepEqual(loadConfig({ PORT: "", DATABASE_URL: "" }), loadConfig({}));
});

Deno.test("loadConfig() freezes what it gives", () => {
  const config = loadConfig({});
  assert.ok(Object.isFrozen(config));
  assert.ok(Object.isFrozen(config.rateLimit));
  assert.ok(Object.isFrozen(config.frameLimit));
});

Deno.test("loadConfig() reads durations in seconds or with a unit", () => {
  const life = (text: string) =>
    loadConfig({ JWT_EXPIRES_IN: text }).jwtExpiresInSeconds;
  assert.equal(life("90"), 90);
  assert.equal(life("15m"), 900);
  assert.equal(life("2h"), 7200);
  assert.equal(life("7d"), 604_800);
  assert.equal(life("1w"), 604_800);
});

Deno.test("loadConfig() accepts the edges of what it documents", () => {
  assert.equal(loadConfig({ PORT: "0" }).port, 0);
  assert.equal(loadConfig({ PORT: "65535" }).port, 65_535);
  assert.equal(
    loadConfig({ PUBLIC_ORIGIN: "https://Chat.Example.org/" }).publicOrigin,
    "https://chat.example.org",
  );
  assert.equal(loadConfig({ HOST: "::1" }).host, "::1");
  const url = "postgresql://u:p%40ss@db.example.org:5433/chat?sslmode=require";
  assert.equal(loadConfig({ DATABASE_URL: url }).databaseUrl, url);
  for (const scheme of ["redis", "rediss", "redis+cluster"]) {
    const redisUrl = `${scheme}://default:secret@cache.example.org:6380`;
    const config = loadConfig({ DATABASE_URL: url, REDIS_URL: redisUrl });
    assert.equal(config.redisUrl, redisUrl);
  }
});

Deno.test("loadConfig() refuses REDIS_URL without a database that processes can share", () => {
  assert.match(refusal({ REDIS_URL: "redis://h" }), /DATABASE_URL/);
});

const BAD_VALUES: readonly [string, string[]][] = [
  ["PORT", ["65536", "-1", "80.5", "1e3", "0x10", " 80", "eighty"]],
  ["HOST", ["a b", "http://x"]],
  ["REDIS_URL", [
    "http://h",
    "redis://",
    "nonsense",
    "redis://:p@ss/word@h",
    "redis://:p%ss@h",
    "redis://h/rooms",
  ]],
  ["DATABASE_URL", [
    "mysql://u@h/d",
    "postgres://",
    "postgres:///d",
    "postgres://u@/d",
    "nonsense",
    "postgres://u@h:65536/d",
    "postgres://u@h:x/d",
    "postgres://u:p%ss@h/d",
    "postgres://u@h/d%zz",
  ]],
  ["JWT_EXPIRES_IN", [
    "0",
    "0d",
    "-1",
    "7 days",
    "1y",
    "99999999999",
    "99999d",
  ]],
  ["CHATKET_ENV", ["prod", "Production"]],
  ["CODE_DELIVERY", ["mail", "sms"]],
  ["SMTP_URL", [
    "mail.example.org",
    "http://mail.example.org",
    "smtp://",
    "smtp://chat:p@ss/word@h",
  ]],
  ["MAIL_FROM", ["chat", "a@b@c", "x <a@b", "a@b\nBcc: c@d"]],
  ["ALLOW_INSECURE_CODES", ["true", "1"]],
  ["RATE_LIMIT_MESSAGES", ["0", "-5", "five"]],
  ["RATE_LIMIT_WINDOW_MS", ["0", "10s"]],
  ["RATE_LIMIT_MUTE_MS", ["-1", "Infinity"]],
  ["FRAME_LIMIT_PER_SECOND", ["0"]],
  ["FRAME_LIMIT_BURST", ["0"]],
  ["MAX_SOCKETS_PER_USER", ["0", "NaN"]],
  ["ROOMS_PER_HOUR", ["0", "-1", "1.5"]],
  ["MAX_ROOMS_PER_USER", ["0", "many"]],
  ["MAX_MEMBERSHIPS_PER_USER", ["0", "1e3"]],
  ["REST_LIMIT_PER_MINUTE", ["0", "600/m"]],
  ["DATABASE_POOL", ["0", "1001"]],
  ["DURABILITY", ["on", "FULL"]],
  ["MAX_SOCKETS_PER_ADDRESS", ["0"]],
  ["AUTH_RATE_LIMIT", ["yes", "true"]],
  [
    "PUBLIC_ORIGIN",
    [
      "chat.example.org",
      "ftp://chat.example.org",
      "https://chat.example.org/path",
      "https://user@chat.example.org",
      "https://chat.example.org?x",
    ],
  ],
  ["TRUSTED_PROXY_HOPS", ["-1", "17", "all"]],
  ["LOG_LEVEL", ["verbose", "INFO"]],
  ["METRICS_TOKEN", ["short", "0123456789abcdeé", "0123456789 abcdef"]],
  ["MESSAGE_RETENTION_DAYS", ["0", "-1", "36501", "1.5", "ever"]],
];

Deno.test("every setting has bad values here, but those that take any text", () => {
  const names = BAD_VALUES.map(([name]) => name);
  const takeAny = ["DATA_DIR", "JWT_SECRET"];
  assert.deepEqual(
    [...names, ...takeAny].sort(),
    [...CONFIG_VARIABLES].sort(),
  );
});

for (const [name, values] of BAD_VALUES) {
  Deno.test(`loadConfig() refuses a bad ${name} in one line that says what is accepted`, () => {
    for (const value of values) {
      const message = refusal({ [name]: value });
      assert.match(message, new RegExp(`^${name}: .*; accepted: .+$`));
      assert.ok(!message.includes("\n"), message);
    }
  });
}

Deno.test("loadConfig() shows a refused value, but never a secret one", () => {
  assert.match(refusal({ LOG_LEVEL: "loud\nfake line" }), /"loud\\nfake line"/);
  const url = "postgress://user:hunter2@host/name";
  assert.ok(!refusal({ DATABASE_URL: url }).includes("hunter2"));
  const short = "too-short-secret";
  assert.ok(!refusal({ ...PRODUCTION, JWT_SECRET: short }).includes(short));
});

Deno.test("loadConfig() shows no part of a password whose special characters are not encoded", () => {
  const passwords = [
    "qw@erty/uio",
    "qwerty/ui@op",
    "12/34",
    "qwe?rty",
    "1?2",
    "12#3",
  ];
  for (const password of passwords) {
    const urls = {
      DATABASE_URL: `postgres://chat:${password}@db.example.org/chat`,
      REDIS_URL: `redis://:${password}@cache.example.org`,
      SMTP_URL: `smtps://chat:${password}@mail.example.org`,
    };
    for (const [name, url] of Object.entries(urls)) {
      const message = refusal({ [name]: url });
      assert.match(message, /its value is not accepted.*percent-encoded/);
      for (const part of password.split(/[@/?#]/)) {
        assert.ok(!message.includes(part) || part.length < 3, message);
      }
    }
  }
});

Deno.test("loadConfig() accepts a PostgreSQL server behind a Unix socket", () => {
  const urls = [
    "postgres://u@%2Fvar%2Frun%2Fpostgresql/db",
    "postgres://u@/db?host=/var/run/postgresql",
    "postgres:///db?host=/var/run/postgresql",
  ];
  for (const url of urls) {
    assert.equal(loadConfig({ DATABASE_URL: url }).databaseUrl, url);
  }
});

Deno.test("loadConfig() refuses production without a secret of 32 characters", () => {
  assert.match(
    refusal({ ...PRODUCTION, JWT_SECRET: undefined }),
    /^JWT_SECRET: missing/,
  );
  assert.match(
    refusal({ ...PRODUCTION, JWT_SECRET: SECRET.slice(1) }),
    /^JWT_SECRET: too short/,
  );
  assert.equal(loadConfig(PRODUCTION).jwtSecret, SECRET);
});

Deno.test("loadConfig() refuses production that does not say how codes are delivered", () => {
  for (const CODE_DELIVERY of [undefined, ""]) {
    assert.match(
      refusal({ ...PRODUCTION, CODE_DELIVERY }),
      /^CODE_DELIVERY: missing/,
    );
  }
});

Deno.test("loadConfig() refuses codes in the answer in production, unless told that this is wanted", () => {
  const open = { ...PRODUCTION, CODE_DELIVERY: "response" };
  assert.match(refusal(open), /^CODE_DELIVERY: "response".*; accepted.*/);
  assert.match(
    refusal({ ...open, ALLOW_INSECURE_CODES: "no" }),
    /^CODE_DELIVERY/,
  );
  const demo = loadConfig({ ...open, ALLOW_INSECURE_CODES: "yes" });
  assert.equal(demo.codeDelivery, "response");
});

Deno.test("loadConfig() wants a mail server and a sender when codes go by e-mail, and shows no password", () => {
  const email = {
    CODE_DELIVERY: "email",
    SMTP_URL: "smtps://chat:hunter2@mail.example.org",
    MAIL_FROM: "ChatKet <chat@example.org>",
  };
  assert.deepEqual(loadConfig({ ...PRODUCTION, ...email }).mail, {
    smtpUrl: email.SMTP_URL,
    from: email.MAIL_FROM,
  });
  assert.match(refusal({ ...email, SMTP_URL: "" }), /^SMTP_URL: missing/);
  assert.match(refusal({ ...email, MAIL_FROM: "" }), /^MAIL_FROM: missing/);
  const bad = refusal({ ...email, SMTP_URL: "smtpp://chat:hunter2@host" });
  assert.ok(!bad.includes("hunter2"));
  assert.equal(
    loadConfig({ ...email, CODE_DELIVERY: "console" }).mail,
    undefined,
  );
});

Deno.test("loadConfig() refuses production without limits on sign-in", () => {
  assert.match(
    refusal({ ...PRODUCTION, AUTH_RATE_LIMIT: "off" }),
    /^AUTH_RATE_LIMIT: "off"/,
  );
  assert.equal(loadConfig({ AUTH_RATE_LIMIT: "off" }).authRateLimit, false);
});

Deno.test("loadConfig() refuses a number above the highest one and names that", () => {
  const limited = CONFIG_VARIABLES.filter((name) =>
    /accepted: (a whole number|milliseconds)/.test(refusalOrNothing(name, "x"))
  );
  assert.ok(limited.length > 10, String(limited));
  for (const name of limited) {
    const highest = / to (\d+)/.exec(refusalOrNothing(name, "999999999999"));
    assert.ok(highest, name);
    assert.equal(refusalOrNothing(name, highest[1]!), "", name);
  }
});

/** What is said about a value that is refused; nothing about one that is accepted. */
function refusalOrNothing(name: string, value: string): string {
  try {
    loadConfig({ [name]: value });
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}
