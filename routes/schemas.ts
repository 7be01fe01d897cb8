/** Parts of what several features take and give. */

import { z } from "@hono/zod-openapi";

/** Most items on one page, of rooms or messages. */
export const MAX_PAGE = 100;

/** Longest `q`, in UTF-16 units: no name is longer. */
export const MAX_QUERY = 100;

/** The id in a call's path. */
export function pathId(example: string) {
  return z.object({
    id: z.guid().toLowerCase().openapi({
      param: { name: "id", in: "path" },
      example,
    }),
  });
}

/** Digits only: `1e3`, `0x10` and a repeated parameter are refused, not guessed at. */
export function limitUpTo(max: number) {
  const accepted = `a whole number from 1 to ${max}`;
  return z.string()
    .regex(/^[1-9][0-9]{0,2}$/, accepted)
    .transform(Number)
    .refine((limit) => limit <= max, accepted)
    .openapi({ type: "integer", minimum: 1, maximum: max, example: 50 });
}

/** A text for a comparison in the database: PostgreSQL's text holds no NUL. */
export const SearchText = z.string().max(MAX_QUERY)
  .refine((text) => !text.includes("\0"), "no NUL");
