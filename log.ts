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
 * @param options.onDropped called for a line that could not be written; logging never throws
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

/** Waiting to be written at most, in UTF-16 code units; lines above it are dropped. */
const MAX_WAITING_LENGTH = 1024 * 1024;

const LINE_BREAK = 0x0a;

export interface LogWriter {
  /** Takes one line without its line break. Never throws and never waits. */
  readonly write: (line: string) => void;
  /** Lines that could not be written, or came while too many waited. */
  readonly dropped: () => number;
  /** Resolves when every line so far has been written or dropped. A reader that stalls delays it for ever. */
  readonly flush: () => Promise<void>;
}

/**
 * A writer for a file, a pipe or a terminal: what waits is written in one piece, piece after piece.
 *
 * A synchronous write would be simpler, but to a pipe whose reader stalls it stops the process, and to
 * one whose reader has ended, or to a full disk, it throws at the caller.
 *
 * @param out.write takes some of the bytes and resolves with how many
 */
export function createLogWriter(
  out: { write(bytes: Uint8Array): Promise<number> },
): LogWriter {
  let waiting: string[] = [];
  let waitingLength = 0;
  let dropped = 0;
  /** Whether the last piece broke off within a line. */
  let isTorn = false;
  let working: Promise<void> | undefined;

  async function work(): Promise<void> {
    while (waiting.length > 0) {
      const piece = `${waiting.join("\n")}\n`;
      waiting = [];
      waitingLength = 0;
      await writePiece(new TextEncoder().encode(piece));
    }
    working = undefined;
  }

  async function writePiece(bytes: Uint8Array): Promise<void> {
    let written = 0;
    try {
      if (isTorn) await out.write(new Uint8Array([LINE_BREAK]));
      isTorn = false;
      while (written < bytes.length) {
        written += await out.write(bytes.subarray(written));
      }
    } catch {
      // Nowhere is left to say it, but in the metrics.
      for (const byte of bytes.subarray(written)) {
        if (byte === LINE_BREAK) dropped++;
      }
      if (written > 0) isTorn = bytes[written - 1] !== LINE_BREAK;
    }
  }

  return {
    write(line) {
      if (waitingLength + line.length > MAX_WAITING_LENGTH) {
        dropped++;
        return;
      }
      waiting.push(line);
      waitingLength += line.length + 1;
      working ??= work();
    },
    dropped: () => dropped,
    flush: async () => await working,
  };
}
