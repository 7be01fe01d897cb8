/** Inputs that programs stumble over, drawn by a seed. */

import type { Random } from "../faults/random.ts";

const STRINGS = [
  ...["", " ", "\t\r\n", "\0", "a\0b", "\u200b", "\u3164", "\ufeff", "\u202e"],
  ...["\ud800", "\udfff\ud800", "\u2028", "e\u0301".repeat(300), "😀", "👩‍👩‍👧‍👦"],
  ...["' or 1=1; --", '"; drop table users; --', "%", "_", "\\", "$1", "%s%n"],
  ...["<script>alert(1)</script>", "</textarea>", "javascript:alert(1)"],
  ...["__proto__", "constructor", "toString", "null", "undefined", "NaN"],
  ...["0", "-1", "1e3", "0x10", "١٢٣", "1.5", "9".repeat(400), "true"],
  ...["../../etc/passwd", "..%2f", "%00", "%", "%zz", "{}", "[]", "(((((("],
  ...["2026-13-40T99:99:99Z", "2026-01-01T00:00:00.000Z", "x".repeat(5_000)],
];

const NUMBERS = [
  ...[0, -0, -1, 1, 6, 100, 101, 0.5, 1e21, 1e308, -1e308],
  ...[Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER + 1, 2 ** 31, 2 ** 63],
];

const KEYS = [
  ...["username", "code", "email", "name", "lastSeq", "lastSeenAt", "roomId"],
  ...["text", "clientMsgId", "rooms", "isTyping", "id", "event", "data", "ack"],
  ...["__proto__", "constructor", "prototype", "toString", "length", ""],
];

/** A text: a known trouble-maker, or random code units, halves of pairs included. */
export function nastyText(random: Random): string {
  if (random.chance(0.7)) return random.pick(STRINGS);
  return Array.from(
    { length: random.int(0, 40) },
    () => String.fromCharCode(random.int(0, random.chance(0.5) ? 255 : 65_535)),
  ).join("");
}

/** Any JSON value, nested at most a few levels. */
export function nastyValue(random: Random, depth = 0): unknown {
  switch (random.int(0, depth > 3 ? 3 : 6)) {
    case 0:
      return random.pick([null, true, false]);
    case 1:
      return random.pick(NUMBERS);
    case 2:
    case 3:
      return nastyText(random);
    case 4:
      return Array.from(
        { length: random.int(0, 5) },
        () => nastyValue(random, depth + 1),
      );
    default: {
      const object = Object.create(null);
      for (let i = random.int(0, 5); i > 0; i--) {
        object[random.pick(KEYS)] = nastyValue(random, depth + 1);
      }
      return object;
    }
  }
}

/** The object with some of its fields replaced, left out or joined by others. */
export function mutate(
  random: Random,
  shape: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const result: Record<string, unknown> = { ...shape };
  for (const key of Object.keys(shape)) {
    if (random.chance(0.15)) delete result[key];
    else if (random.chance(0.3)) result[key] = nastyValue(random);
  }
  if (random.chance(0.2)) result[random.pick(KEYS)] = nastyValue(random);
  return result;
}

/** Text or bytes that are nearly JSON, or not at all. */
export function nearlyJson(
  random: Random,
  value: unknown,
): string | Uint8Array<ArrayBuffer> {
  const text = JSON.stringify(value) ?? "";
  switch (random.int(0, 9)) {
    case 0:
      return text.slice(0, random.int(0, text.length));
    case 1:
      return text + random.pick(["}", "]", ",", "\0", " x", text]);
    case 2: {
      const bytes = new Uint8Array(random.int(0, 200));
      for (const index of bytes.keys()) bytes[index] = random.int(0, 255);
      return bytes;
    }
    case 3: {
      const depth = random.pick([10, 1_000, 7_000]);
      return "[".repeat(depth) + (random.chance(0.5) ? "]".repeat(depth) : "");
    }
    default:
      return text;
  }
}
