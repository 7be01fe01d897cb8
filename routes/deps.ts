/** What the routes are made of: everything comes in as an argument. */

import type { Config } from "../config.ts";
import type { Database } from "../db/engine/database.ts";
import type { Log } from "../log.ts";
import type { SharedState } from "../realtime/cluster/broker.ts";
import type { Session } from "../realtime/connection/session.ts";
import type { Metrics } from "../realtime/metrics.ts";
import type { Realtime } from "../realtime/realtime.ts";
import type { CodeMail } from "./auth/code_mail.ts";
import type { SessionKeys } from "./auth/session_keys.ts";
import type { AuthLimits } from "./middleware/auth_limit.ts";
import type { CallBudget } from "./middleware/call_budget.ts";
import type { SessionFinder } from "./auth/session.ts";

/** A built entry of `static/build/manifest.json`; names are relative to `static/build/`. */
export interface BuildManifest {
  readonly entries: Readonly<
    Record<string, { readonly file: string; readonly imports?: string[] }>
  >;
}

export interface AppDeps {
  readonly config: Config;
  readonly db: Database;
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** What durations are measured with, in milliseconds: it is never set back or forward. */
  readonly steadyClock: () => number;
  readonly keys: SessionKeys;
  /** There when codes are delivered by e-mail. */
  readonly codeMail: CodeMail | undefined;
  readonly realtime: Realtime;
  /** What all processes of the chat count together; undefined when there is but one. */
  readonly shared: SharedState | undefined;
  readonly metrics: Metrics;
  readonly manifest: BuildManifest;
  /** The folder `static/`, with a slash at its end. */
  readonly staticDir: URL;
}

/** What the parts of the app share beside what it is made of. */
export interface RouteDeps extends AppDeps {
  readonly findSession: SessionFinder;
  readonly authLimits: AuthLimits;
  readonly callBudget: CallBudget;
}

/** Hono's context: the peer address comes from `Deno.serve`, the session from the middleware. */
export interface AppEnv {
  Bindings: Partial<Pick<Deno.ServeHandlerInfo, "remoteAddr">> & {
    /** The answer to a request that has become a WebSocket: the only one that the runtime takes. */
    upgraded?: Response;
  };
  Variables: {
    session: Session;
    /** Names the request in the log and in `X-Request-Id`. */
    requestId: string;
  };
}
