/** The calls of signing in. */

import type { UserRef } from "../../../realtime/protocol/protocol.ts";
import type { Api } from "../api.ts";

/** Asks for a code; it is in the answer where the server delivers it so. */
export const requestCode = (
  api: Api,
  username: string,
  email: string | undefined,
) =>
  api.post<{ message: string; code?: string }>("/auth/request-code", {
    username,
    email,
  });

/** Signs in with a code. */
export const verifyCode = (api: Api, username: string, code: string) =>
  api.post<{ accessToken: string; user: UserRef }>("/auth/verify-code", {
    username,
    code,
  });
