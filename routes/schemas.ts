/** What the REST API takes and gives: checked by these schemas and documented from them. */

import { z } from "@hono/zod-openapi";
import { RosterUser } from "../realtime/protocol/presence.ts";
import { Time } from "../realtime/protocol/shapes.ts";
import { codePointLength } from "../text/code_points.ts";
import { visibleLength } from "../text/fold.ts";
import { EXAMPLE } from "./docs/examples.ts";
import {
  PROBLEM_DOCS_PATH,
  type ProblemBody,
  type ProblemCode,
  PROBLEMS,
  type StatusOf,
} from "./problems.ts";

/** Shortest and longest room name after trimming, in Unicode code points; the shortest in those seen. */
const ROOM_NAME_LENGTH = { min: 3, max: 40 };

/** Most items on one page, of rooms or messages. */
export const MAX_PAGE = 100;

/** Most members on one page. */
export const MAX_MEMBER_PAGE = 200;

/** Longest `q`, in UTF-16 units: no room name is longer. */
const MAX_QUERY = 100;

export const Username = z.string()
  .regex(/^[A-Za-z0-9_]{3,20}$/, "3 to 20 of A–Z, a–z, 0–9 and _")
  .transform((name) => name.toLowerCase())
  .openapi({
    type: "string",
    pattern: "^[A-Za-z0-9_]{3,20}$",
    example: EXAMPLE.user.username,
  });

/** Longest address that mail servers take (RFC 5321), in characters. */
const MAX_EMAIL = 254;

export const Email = z.email()
  // Not `max()`: it looks at the length also of what is no text, and throws at one without a value.
  .refine((email) => email.length <= MAX_EMAIL, `${MAX_EMAIL} characters`)
  .openapi({ example: EXAMPLE.email });

export const LoginCode = z.string().regex(/^[0-9]{6}$/, "six digits")
  .openapi({ example: EXAMPLE.loginCode });

/** Joiners and variation selectors: Persian and emoji need them beside characters that are seen. */
const HELPER = "\\u200c\\u200d\\p{Variation_Selector}";

/**
 * What a name must not contain, because it shows nothing or turns its neighbours around: control
 * and format characters (bidirectional controls, zero-width characters), line separators, private
 * code points, and whatever is drawn as nothing. Of the helpers a joiner may stand between two
 * characters that are seen, a variation selector after one.
 */
const UNSEEN = new RegExp(
  [
    "[\\p{Cc}\\p{Cs}\\p{Co}\\u2028\\u2029\\u2800\\u{1D159}]",
    `(?![${HELPER}])[\\p{Cf}\\p{Default_Ignorable_Code_Point}]`,
    `(?<![^\\s${HELPER}])\\p{Variation_Selector}`,
    "(?<![^\\s\\u200c\\u200d])[\\u200c\\u200d]",
    `[\\u200c\\u200d](?![^\\s${HELPER}])`,
  ].join("|"),
  "u",
);

export const RoomName = z.string().trim()
  .refine((name) => name.isWellFormed() && !UNSEEN.test(name), {
    message: "no control, bidirectional or zero-width characters",
  })
  .refine(
    (name) =>
      visibleLength(name) >= ROOM_NAME_LENGTH.min &&
      codePointLength(name) <= ROOM_NAME_LENGTH.max,
    { message: "3 to 40 characters" },
  )
  .openapi({
    minLength: ROOM_NAME_LENGTH.min,
    maxLength: ROOM_NAME_LENGTH.max,
    example: EXAMPLE.newRoomName,
  });

const id = (example: string) => z.string().openapi({ format: "uuid", example });
export const SessionSchema = z.object({
  id: id(EXAMPLE.sessionId),
  createdAt: Time,
  lastUsedAt: Time.describe("within five minutes"),
  expiresAt: Time.describe("unless it is refreshed before"),
  userAgent: z.string().openapi({ example: "Mozilla/5.0 …" }),
  isCurrent: z.boolean().openapi({ description: "the one that asks" }),
}).openapi("Session");

export const MemberSchema = z.object({
  ...RosterUser.shape,
  joinedAt: Time,
}).openapi("Member");

const pathId = (example: string) =>
  z.object({
    id: z.guid().toLowerCase().openapi({
      param: { name: "id", in: "path" },
      example,
    }),
  });

export const RoomParams = pathId(EXAMPLE.roomId);
export const SessionParams = pathId(EXAMPLE.sessionId);

/** Digits only: `1e3`, `0x10` and a repeated parameter are refused, not guessed at. */
function limitUpTo(max: number) {
  const accepted = `a whole number from 1 to ${max}`;
  return z.string()
    .regex(/^[1-9][0-9]{0,2}$/, accepted)
    .transform(Number)
    .refine((limit) => limit <= max, accepted)
    .openapi({ type: "integer", minimum: 1, maximum: max, example: 50 });
}

export const Limit = limitUpTo(MAX_PAGE);

/** A text for a comparison in the database: PostgreSQL's text holds no NUL. */
const SearchText = z.string().max(MAX_QUERY)
  .refine((text) => !text.includes("\0"), "no NUL");

export const RoomListQuery = z.object({
  all: z.enum(["true", "false"]).optional().openapi({
    description: "`true` lists every room, not only the caller's",
    example: "true",
  }),
  q: SearchText.optional().openapi({
    description:
      "keeps the rooms whose name contains this, without regard to case",
    example: "gen",
  }),
  limit: Limit.optional(),
  cursor: z.string().optional().openapi({
    description: 'from the `Link: <…>; rel="next"` header of the page before',
    example: EXAMPLE.roomCursor,
  }),
});

export const MembersQuery = z.object({
  limit: limitUpTo(MAX_MEMBER_PAGE).optional(),
  after: SearchText.optional().openapi({
    description:
      "the page begins after this username; the `Link` header of the page before has it",
    example: EXAMPLE.user.username,
  }),
});

export const MessagesQuery = z.object({
  limit: Limit.optional(),
  before: z.guid().optional().openapi({
    description:
      "the id of a message of this room: the page ends just before it",
    example: EXAMPLE.messageId,
  }),
  after: z.guid().optional().openapi({
    description:
      "the id of a message of this room: the page begins just after it",
    example: EXAMPLE.messageId,
  }),
});

export const ReadMark = z.object({
  lastSeq: z.int().min(0).openapi({
    description: "seq of the newest message that was read",
    example: EXAMPLE.lastSeq,
  }),
}).openapi("ReadMark");

export const ProblemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.enum(Object.keys(PROBLEMS) as [ProblemCode, ...ProblemCode[]]),
  errors: z.array(z.object({ path: z.string(), message: z.string() }))
    .optional(),
  instance: z.string().optional(),
}).openapi("Problem", { description: "RFC 9457 problem details" });

interface ProblemResponseDocs {
  description: string;
  content: {
    "application/problem+json": {
      schema: typeof ProblemSchema;
      /** By code: all that are answered with this status. */
      examples: Record<string, { value: ProblemBody }>;
    };
  };
}

/**
 * The part of a route's `responses` that documents its problems, by status. Where a session is asked
 * for it may be another user's than the page's: that one is added.
 */
export function problemResponses<C extends ProblemCode>(
  ...codes: C[]
): { [S in StatusOf<C>]: ProblemResponseDocs } {
  const responses: Record<number, ProblemResponseDocs> = {};
  const needsSession = (codes as ProblemCode[]).includes("unauthorized");
  const all = needsSession ? [...codes, "other_user"] as const : codes;
  for (const code of all) {
    const { status, title } = PROBLEMS[code];
    const line = `\`${code}\`: ${title}`;
    const known = responses[status];
    const type = `${PROBLEM_DOCS_PATH}#${code}`;
    responses[status] = {
      description: known === undefined ? line : `${known.description}; ${line}`,
      content: {
        "application/problem+json": {
          schema: ProblemSchema,
          examples: {
            ...known?.content["application/problem+json"].examples,
            [code]: { value: { type, title, status, detail: title, code } },
          },
        },
      },
    };
  }
  return responses as { [S in StatusOf<C>]: ProblemResponseDocs };
}

/** A required JSON body. @param examples by what each of them shows; they work as they stand */
export function jsonBody<S extends z.ZodType>(
  schema: S,
  examples: Readonly<Record<string, z.input<S>>>,
) {
  return {
    required: true,
    content: {
      "application/json": {
        schema,
        examples: Object.fromEntries(
          Object.entries(examples).map(([name, value]) => [name, { value }]),
        ),
      },
    },
  } as const;
}

/** A JSON answer. */
export function jsonAnswer<S extends z.ZodType>(
  description: string,
  schema: S,
) {
  return { description, content: { "application/json": { schema } } } as const;
}
