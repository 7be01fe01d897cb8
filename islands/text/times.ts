/** Times as people read them, in a locale and a time zone. */

export interface Times {
  /** Names the local day a time falls on, e.g. `2026-01-31`: equal for equal days. */
  day(iso: string | number): string;
  /** "14:05" */
  clock(iso: string): string;
  /** "Saturday, 31 January 2026 at 14:05:09" */
  full(iso: string): string;
  /** "31 January", with the weekday in the last six days and the year when it is another one. */
  dayName(iso: string, now: number): string;
}

const DAY_MS = 86_400_000;

/** @param timeZone an IANA name, e.g. `Europe/Istanbul` */
export function createTimes(locale: string, timeZone: string): Times {
  const format = (options: Intl.DateTimeFormatOptions) => {
    const formatter = new Intl.DateTimeFormat(locale, { timeZone, ...options });
    return (iso: string | number) => formatter.format(new Date(iso));
  };
  const isoDay = new Intl.DateTimeFormat("sv", { timeZone });
  const dayAndMonth = { day: "numeric", month: "long" } as const;
  const weekday = format({ weekday: "long", ...dayAndMonth });
  const date = format({ ...dayAndMonth, year: "numeric" });
  const day = (iso: string | number) => isoDay.format(new Date(iso));
  return {
    day,
    clock: format({ timeStyle: "short" }),
    full: format({ dateStyle: "full", timeStyle: "medium" }),
    dayName: (iso, now) =>
      Math.abs(now - Date.parse(iso)) < 180 * DAY_MS ? weekday(iso) : date(iso),
  };
}

/** The local days that are called today and yesterday; both are named as `Times.day` does. */
export function relativeDay(
  day: string,
  today: string,
): "today" | "yesterday" | undefined {
  if (day === today) return "today";
  // From noon back: a day that is 23 or 25 hours long does not skip or repeat a date.
  const noon = Date.parse(`${today}T12:00:00Z`);
  return day === new Date(noon - DAY_MS).toISOString().slice(0, 10)
    ? "yesterday"
    : undefined;
}
