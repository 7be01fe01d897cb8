/** What is given to sign in, in the API and in the plain forms alike. */

import { z } from "@hono/zod-openapi";
import { EXAMPLE } from "../docs/examples.ts";

const USERNAME = /^[A-Za-z0-9_]{3,20}$/;

export const Username = z.string()
  .regex(USERNAME, "3 to 20 of A–Z, a–z, 0–9 and _")
  .transform((name) => name.toLowerCase())
  .openapi({
    type: "string",
    pattern: USERNAME.source,
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
