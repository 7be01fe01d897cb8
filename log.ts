/** One small logger: readable lines in development, one JSON object a line in production. */

export type LogLevel = "debug" | "info" | "warn" | "error";

/** What a line says beside its message. Never secrets, login codes (but see `CODE_DELIVERY=console`) or message texts. */
export type LogFields = Readonly<Record<string, unknown>>;

export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

const LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error"];

/** An error as log fields: name, message, code and stack. */
export function errorFields(error: unknown): LogFields {
  if (!(error instanceof Error)) return { error: String(error) };
  const code = (error as { code?: unknown }).code;
  return {
    error: `${error.name}: ${error.message}`,
    ...(code === undefined ? {} : { errorCode: code }),
    stack: error.stack,
  };
}

/**
 * Makes a logger.
 *
 * @param options.level the least level that is written
 * @param options.json one JSON object a line in place of readable text
 * @param options.clock gives the time in milliseconds since 1970
 * @param options.write takes one line without its line break
 * @param options.onDropped told of a line that could not be written: nobody who logs is to blame
 */
export function createLog(options: {
  level: LogLevel;
  json: boolean;
  clock: () => number;
  write: (line: string) => void;
  onDropped?: () => void;
}): Log {
  const least = LEVELS.indexOf(options.level);
  const at = (level: LogLevel) => (message: string, fields: LogFields = {}) => {
    if (LEVELS.indexOf(level) < least) return;
    try {
      const time = new Date(options.clock()).toISOString();
      options.write(
        options.json
          ? jsonLine(time, level, message, fields)
          : readableLine(time, level, message, fields),
      );
    } catch {
      options.onDropped?.();
    }
  };
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
  };
}

function jsonLine(
  time: string,
  level: LogLevel,
  message: string,
  fields: LogFields,
): string {
  const own = { time, level, message };
  // `own` stands twice: first for the order, last because a field must not take its place.
  return toJson({ ...own, ...fields, ...own }) ??
    JSON.stringify({ ...own, fields: Deno.inspect(fields) });
}

function readableLine(
  time: string,
  level: LogLevel,
  message: string,
  fields: LogFields,
): string {
  const { stack, ...rest } = fields;
  const pairs = Object.entries(rest).map(([key, value]) => {
    const text = typeof value === "string"
      ? value
      : toJson(value) ?? Deno.inspect(value);
    return ` ${key}=${oneLine(text)}`;
  });
  const trace = typeof stack === "string" ? `\n${stack}` : "";
  return `${time.slice(11, 23)} ${level.padEnd(5)} ${oneLine(message)}${
    pairs.join("")
  }${trace}`;
}

/** The value as JSON; undefined when it has none (circular, a function). */
function toJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(
      value,
      (_, inner) => typeof inner === "bigint" ? String(inner) : inner,
    );
  } catch {
    return undefined;
  }
}

/** Control characters are escaped, so that a value cannot forge a line of its own. */
function oneLine(text: string): string {
  return text.replace(
    /\p{Cc}/gu,
    (character) =>
      `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
