import { MAX_TIME_MS } from "./schema.ts";

/** A client's time, brought into the years PostgreSQL can read: no message is older than 1970. */
export function storableTime(text: string): Date {
  return new Date(Math.min(Math.max(Date.parse(text), 0), MAX_TIME_MS));
}
