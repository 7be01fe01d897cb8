/** Tells a Redis that refuses us from one that is away. */

import { ErrorReply } from "@redis/client";

/** Redis, or its certificate, is not what the setting says: waiting does not help. */
export class RedisRefusedError extends Error {
  override name = "RedisRefusedError";
}

/** A password, a right or a database that is wrong, or a command that an older version lacks. */
const REFUSED = /^(WRONGPASS|NOAUTH|NOPERM|ERR (?!max number of clients))/;

/** What the certificate of a server can be wrong in: CERT_HAS_EXPIRED, UNABLE_TO_VERIFY_LEAF_SIGNATURE … */
const BAD_CERTIFICATE = /CERT|SIGNATURE/;

/** Whether the same will be answered for as long as the setting stays as it is. */
export function isRefusal(error: unknown): error is Error {
  if (error instanceof ErrorReply) return REFUSED.test(error.message);
  const { code } = error as { code?: unknown };
  return typeof code === "string" && BAD_CERTIFICATE.test(code);
}
