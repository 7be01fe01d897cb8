/** Settings from the environment: read once, checked, frozen. */

import { z } from "zod";
import { parsePostgresUrl, parseServerUrl } from "./db/engine/server_url.ts";

/** All that an operator can set. Durations are in the unit the field's name ends with. */
export interface Config {
  readonly environment: "development" | "production";
  /** PostgreSQL URL; undefined means the embedded database in `dataDir`. */
  readonly databaseUrl: string | undefined;
  /** Redis URL that joins several processes to one chat; undefined: this one is alone. */
  readonly redisUrl: string | undefined;
  /** Connections to PostgreSQL at most. */
  readonly databasePool: number;
  /** Whether the embedded database waits for the disk at every commit. */
  readonly durability: "full" | "relaxed";
  readonly dataDir: string;
  readonly port: number;
  readonly host: string;
  /** Undefined only in development: a secret kept in `dataDir` is used then. */
  readonly jwtSecret: string | undefined;
  readonly jwtExpiresInSeconds: number;
  readonly codeDelivery: "response" | "console" | "email";
  /** How mail is sent; undefined unless codes are delivered by it. */
  readonly mail:
    | { readonly smtpUrl: string; readonly from: string }
    | undefined;
  readonly rateLimit: {
    readonly messages: number;
    readonly windowMs: number;
    readonly muteMs: number;
  };
  readonly frameLimit: { readonly perSecond: number; readonly burst: number };
  readonly maxSocketsPerUser: number;
  readonly maxSocketsPerAddress: number;
  /** Rooms a user may make within an hour. */
  readonly roomsPerHour: number;
  /** Rooms a user may have made. */
  readonly maxRoomsPerUser: number;
  /** Rooms a user may be a member of. */
  readonly maxMembershipsPerUser: number;
  /** REST calls of a user within a minute. */
  readonly restLimitPerMinute: number;
  readonly authRateLimit: boolean;
  /** Scheme, host and port browsers use, without a trailing slash. */
  readonly publicOrigin: string | undefined;
  readonly trustedProxyHops: number;
  readonly logLevel: "debug" | "info" | "warn" | "error";
  /** Bearer token that opens `/metrics`; undefined: there is no such page. */
  readonly metricsToken: string | undefined;
  /** Messages older than this are removed, in days; undefined keeps them for ever. */
  readonly messageRetentionDays: number | undefined;
}

/** A setting the process must not start with. The message is one line and holds no secret. */
export class ConfigError extends Error {
  override name = "ConfigError";
}

const SECONDS_PER_UNIT = {
  s: 1,
  m: 60,
  h: 3600,
  d: 86_400,
  w: 604_800,
} as const;

/** Longest token life that is accepted: ten years, in seconds. */
const MAX_TOKEN_LIFE_SECONDS = 315_360_000;

/** Shortest secret accepted in production, in characters: the size of an HS256 key. */
const MIN_SECRET_LENGTH = 32;

const wholeNumber = (min: number, max: number) =>
  z.string().regex(/^\d{1,15}$/).transform(Number).pipe(
    z.number().min(min).max(max),
  );

const duration = z.string().regex(/^\d{1,10}[smhdw]?$/).transform((value) => {
  const unit = /[smhdw]$/.exec(value)?.[0] as
    | keyof typeof SECONDS_PER_UNIT
    | undefined;
  return parseInt(value) * (unit === undefined ? 1 : SECONDS_PER_UNIT[unit]);
}).pipe(z.number().min(1).max(MAX_TOKEN_LIFE_SECONDS));

const serverUrl = (scheme: RegExp, path = /^/) =>
  z.string().refine((value) => {
    const url = parseServerUrl(value, scheme);
    return url !== undefined && path.test(url.pathname);
  });

/** Ends what is accepted for a URL with a password. */
const ENCODED = "special characters in it percent-encoded";

const origin = z.string().refine((value) => {
  const url = URL.parse(value);
  return url !== null && /^https?:$/.test(url.protocol) &&
    url.pathname === "/" &&
    url.search === "" && url.hash === "" && url.username === "" &&
    url.password === "";
}).transform((value) => new URL(value).origin);

/** Each variable: its check, what is accepted (for the error line), and whether its value is secret. */
const VARIABLES = {
  DATABASE_URL: {
    check: z.string().refine((value) => parsePostgresUrl(value) !== undefined),
    accepted:
      `a PostgreSQL URL (postgres://user:password@host:port/name, ${ENCODED}), or unset`,
    secret: true,
  },
  REDIS_URL: {
    // The path is the number of a database.
    check: serverUrl(/^rediss?(\+cluster)?:$/, /^(\/\d*)?$/),
    accepted:
      `a Redis URL (redis://name:password@host:port, rediss://…, or redis+cluster://… of a cluster; ${ENCODED}), or unset`,
    secret: true,
  },
  DATABASE_POOL: {
    check: wholeNumber(1, 1_000),
    accepted: "a whole number from 1 to 1000",
  },
  DURABILITY: {
    check: z.enum(["full", "relaxed"]),
    accepted: "full or relaxed",
  },
  DATA_DIR: { check: z.string(), accepted: "a folder" },
  PORT: {
    check: wholeNumber(0, 65_535),
    accepted: "a whole number from 0 to 65535",
  },
  HOST: {
    check: z.string().regex(/^[\w.:-]+$/),
    accepted: "an address to listen on",
  },
  JWT_SECRET: { check: z.string(), accepted: "a text", secret: true },
  JWT_EXPIRES_IN: {
    check: duration,
    accepted:
      "seconds, or a whole number with s, m, h, d or w (15m, 7d), up to ten years",
  },
  CHATKET_ENV: {
    check: z.enum(["development", "production"]),
    accepted: "development or production",
  },
  CODE_DELIVERY: {
    check: z.enum(["response", "console", "email"]),
    accepted: "email, console or response",
  },
  SMTP_URL: {
    check: serverUrl(/^smtps?:$/),
    accepted:
      `a mail server (smtps://name:password@host:port or smtp://…, ${ENCODED}), or unset`,
    secret: true,
  },
  MAIL_FROM: {
    check: z.string().regex(
      /^(?:[^<>\p{Cc}]*<[^<>@\s]+@[^<>@\s]+>|[^<>@\s]+@[^<>@\s]+)$/u,
    ),
    accepted: "an address (chat@example.org or ChatKet <chat@example.org>)",
  },
  ALLOW_INSECURE_CODES: {
    check: z.enum(["yes", "no"]),
    accepted: "yes or no",
  },
  RATE_LIMIT_MESSAGES: {
    check: wholeNumber(1, 1_000_000_000),
    accepted: "a whole number from 1 to 1000000000",
  },
  RATE_LIMIT_WINDOW_MS: {
    check: wholeNumber(1, 86_400_000),
    accepted: "milliseconds from 1 to 86400000",
  },
  RATE_LIMIT_MUTE_MS: {
    check: wholeNumber(0, 86_400_000),
    accepted: "milliseconds from 0 to 86400000",
  },
  FRAME_LIMIT_PER_SECOND: {
    check: wholeNumber(1, 1_000_000_000),
    accepted: "a whole number from 1 to 1000000000",
  },
  FRAME_LIMIT_BURST: {
    check: wholeNumber(1, 1_000_000_000),
    accepted: "a whole number from 1 to 1000000000",
  },
  MAX_SOCKETS_PER_USER: {
    check: wholeNumber(1, 1_000_000),
    accepted: "a whole number from 1 to 1000000",
  },
  MAX_SOCKETS_PER_ADDRESS: {
    check: wholeNumber(1, 1_000_000),
    accepted: "a whole number from 1 to 1000000",
  },
  ROOMS_PER_HOUR: {
    check: wholeNumber(1, 1_000_000),
    accepted: "a whole number from 1 to 1000000",
  },
  MAX_ROOMS_PER_USER: {
    check: wholeNumber(1, 1_000_000),
    accepted: "a whole number from 1 to 1000000",
  },
  MAX_MEMBERSHIPS_PER_USER: {
    check: wholeNumber(1, 1_000_000),
    accepted: "a whole number from 1 to 1000000",
  },
  REST_LIMIT_PER_MINUTE: {
    check: wholeNumber(1, 1_000_000_000),
    accepted: "a whole number from 1 to 1000000000",
  },
  AUTH_RATE_LIMIT: { check: z.enum(["on", "off"]), accepted: "on or off" },
  PUBLIC_ORIGIN: {
    check: origin,
    accepted:
      "a scheme and host without a path (https://chat.example.org), or unset",
  },
  TRUSTED_PROXY_HOPS: {
    check: wholeNumber(0, 16),
    accepted: "a whole number from 0 to 16",
  },
  LOG_LEVEL: {
    check: z.enum(["debug", "info", "warn", "error"]),
    accepted: "debug, info, warn or error",
  },
  METRICS_TOKEN: {
    check: z.string().regex(/^[\x21-\x7e]{16,}$/),
    accepted: "16 or more visible ASCII characters, or unset",
    secret: true,
  },
  MESSAGE_RETENTION_DAYS: {
    check: wholeNumber(1, 36_500),
    accepted: "a whole number of days from 1 to 36500, or unset",
  },
} satisfies Record<
  string,
  { check: z.ZodType; accepted: string; secret?: boolean }
>;

type Variable = keyof typeof VARIABLES;
type Value<V extends Variable> = z.output<typeof VARIABLES[V]["check"]>;

/** The names of all variables {@link loadConfig} reads. */
export const CONFIG_VARIABLES = Object.keys(VARIABLES) as Variable[];

/**
 * Reads and checks the settings. An empty variable counts as unset.
 *
 * @throws {ConfigError} naming the variable, the fault of its value and what is accepted.
 */
export function loadConfig(
  env: Readonly<Record<string, string | undefined>>,
): Config {
  function read<V extends Variable>(name: V): Value<V> | undefined {
    const text = env[name];
    if (text === undefined || text === "") return undefined;
    const variable: { check: z.ZodType; accepted: string; secret?: boolean } =
      VARIABLES[name];
    const result = variable.check.safeParse(text);
    if (result.success) return result.data as Value<V>;
    const shown = variable.secret ? "its value" : JSON.stringify(text);
    throw new ConfigError(
      `${name}: ${shown} is not accepted; accepted: ${variable.accepted}`,
    );
  }

  const environment = read("CHATKET_ENV") ?? "development";
  const codeDelivery = read("CODE_DELIVERY") ?? "response";
  const [smtpUrl, from] = [read("SMTP_URL"), read("MAIL_FROM")];
  const allowsInsecureCodes = read("ALLOW_INSECURE_CODES") === "yes";
  const config: Config = {
    environment,
    databaseUrl: read("DATABASE_URL"),
    redisUrl: read("REDIS_URL"),
    databasePool: read("DATABASE_POOL") ?? 10,
    durability: read("DURABILITY") ?? "full",
    dataDir: read("DATA_DIR") ?? ".data",
    port: read("PORT") ?? 3000,
    host: read("HOST") ?? "0.0.0.0",
    jwtSecret: read("JWT_SECRET"),
    jwtExpiresInSeconds: read("JWT_EXPIRES_IN") ?? 7 * SECONDS_PER_UNIT.d,
    codeDelivery,
    mail: codeDelivery === "email" ? mailSettings(smtpUrl, from) : undefined,
    rateLimit: Object.freeze({
      messages: read("RATE_LIMIT_MESSAGES") ?? 5,
      windowMs: read("RATE_LIMIT_WINDOW_MS") ?? 10_000,
      muteMs: read("RATE_LIMIT_MUTE_MS") ?? 30_000,
    }),
    frameLimit: Object.freeze({
      perSecond: read("FRAME_LIMIT_PER_SECOND") ?? 20,
      burst: read("FRAME_LIMIT_BURST") ?? 200,
    }),
    maxSocketsPerUser: read("MAX_SOCKETS_PER_USER") ?? 25,
    maxSocketsPerAddress: read("MAX_SOCKETS_PER_ADDRESS") ?? 500,
    roomsPerHour: read("ROOMS_PER_HOUR") ?? 30,
    maxRoomsPerUser: read("MAX_ROOMS_PER_USER") ?? 500,
    maxMembershipsPerUser: read("MAX_MEMBERSHIPS_PER_USER") ?? 5_000,
    restLimitPerMinute: read("REST_LIMIT_PER_MINUTE") ?? 600,
    authRateLimit: (read("AUTH_RATE_LIMIT") ?? "on") === "on",
    publicOrigin: read("PUBLIC_ORIGIN"),
    trustedProxyHops: read("TRUSTED_PROXY_HOPS") ?? 0,
    logLevel: read("LOG_LEVEL") ?? "info",
    metricsToken: read("METRICS_TOKEN"),
    messageRetentionDays: read("MESSAGE_RETENTION_DAYS"),
  };
  if (config.redisUrl !== undefined && config.databaseUrl === undefined) {
    throw new ConfigError(
      "REDIS_URL: several processes need one database; accepted: together with DATABASE_URL, or unset",
    );
  }
  if (environment === "production") {
    refuseUnsafe(config, env, allowsInsecureCodes);
  }
  return Object.freeze(config);
}

/** The settings of this process, see {@link loadConfig}. */
export function loadConfigFromEnv(): Config {
  return loadConfig(
    Object.fromEntries(
      CONFIG_VARIABLES.map((name) => [name, Deno.env.get(name)]),
    ),
  );
}

/**
 * A setting that reads well and still cannot be used, as an error for the operator.
 *
 * @param fault what the system said when it was tried
 */
export function unusable(
  name: Variable,
  value: unknown,
  fault: unknown,
): ConfigError {
  // Several addresses of one host that all refuse come as one error without words.
  const { message } = fault instanceof AggregateError
    ? fault.errors[0] as Error
    : fault as Error;
  const { accepted, secret }: { accepted: string; secret?: boolean } =
    VARIABLES[name];
  const shown = secret ? "" : `${JSON.stringify(value)}: `;
  return new ConfigError(
    `${name}: ${shown}${message.split("\n")[0]}; accepted: ${accepted}`,
  );
}

/** Both are needed as soon as one mail is to be sent. */
function mailSettings(
  smtpUrl: string | undefined,
  from: string | undefined,
): NonNullable<Config["mail"]> {
  const missing = (name: "SMTP_URL" | "MAIL_FROM") =>
    new ConfigError(
      `${name}: missing with CODE_DELIVERY=email; accepted: ${
        VARIABLES[name].accepted
      }`,
    );
  if (smtpUrl === undefined) throw missing("SMTP_URL");
  if (from === undefined) throw missing("MAIL_FROM");
  return Object.freeze({ smtpUrl, from });
}

/** The strict checks of `CHATKET_ENV=production`. */
function refuseUnsafe(
  config: Config,
  env: Readonly<Record<string, string | undefined>>,
  allowsInsecureCodes: boolean,
): void {
  if (config.jwtSecret === undefined) {
    throw new ConfigError(
      `JWT_SECRET: missing in production; accepted: ${MIN_SECRET_LENGTH} random characters or more`,
    );
  }
  if (config.jwtSecret.length < MIN_SECRET_LENGTH) {
    throw new ConfigError(
      `JWT_SECRET: too short for production (${config.jwtSecret.length} characters); accepted: ` +
        `${MIN_SECRET_LENGTH} random characters or more`,
    );
  }
  if (!env.CODE_DELIVERY) {
    throw new ConfigError(
      `CODE_DELIVERY: missing in production; accepted: ${VARIABLES.CODE_DELIVERY.accepted}`,
    );
  }
  if (config.codeDelivery === "response" && !allowsInsecureCodes) {
    throw new ConfigError(
      `CODE_DELIVERY: "response" lets anybody sign in as anybody; accepted in production: email or ` +
        `console, or response together with ALLOW_INSECURE_CODES=yes`,
    );
  }
  if (!config.authRateLimit) {
    throw new ConfigError(
      `AUTH_RATE_LIMIT: "off" is refused in production; accepted: on`,
    );
  }
}
