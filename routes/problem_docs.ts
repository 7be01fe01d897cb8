/** Problems in the OpenAPI document. */

import { z } from "@hono/zod-openapi";
import { Message } from "../realtime/protocol/messages.ts";
import {
  PROBLEM_DOCS_PATH,
  type ProblemBody,
  type ProblemCode,
  PROBLEMS,
  type StatusOf,
} from "./problems.ts";

export const ProblemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.enum(Object.keys(PROBLEMS) as [ProblemCode, ...ProblemCode[]]),
  errors: z.array(z.object({ path: z.string(), message: z.string() }))
    .optional(),
  instance: z.string().optional(),
  message: Message.optional().openapi({
    description: "only with the code edit_conflict: the message as it is now",
  }),
  mutedUntil: z.string().optional().openapi({
    description: "only with the code muted",
  }),
}).openapi("Problem", { description: "RFC 9457 problem details" });

interface DocumentedProblem {
  description: string;
  content: {
    "application/problem+json": {
      schema: typeof ProblemSchema;
      /** By code: all that are answered with this status. */
      examples: Record<string, { value: ProblemBody }>;
    };
  };
}

/** A part of a route's `responses`, by status. */
export type DocumentedProblems<C extends ProblemCode> = {
  [S in StatusOf<C>]: DocumentedProblem;
};

/** Documents these problems, in the order of the table of problems. */
export function documentProblems<C extends ProblemCode>(
  codes: readonly C[],
): DocumentedProblems<C> {
  const documented: Record<number, DocumentedProblem> = {};
  for (const code of Object.keys(PROBLEMS) as ProblemCode[]) {
    if (!(codes as readonly ProblemCode[]).includes(code)) continue;
    const { status, title } = PROBLEMS[code];
    const line = `\`${code}\`: ${title}`;
    const known = documented[status];
    const type = `${PROBLEM_DOCS_PATH}#${code}`;
    const value = { type, title, status, detail: title, code };
    documented[status] = {
      description: known === undefined ? line : `${known.description}; ${line}`,
      content: {
        "application/problem+json": {
          schema: ProblemSchema,
          examples: {
            ...known?.content["application/problem+json"].examples,
            [code]: { value },
          },
        },
      },
    };
  }
  return documented as DocumentedProblems<C>;
}
