/**
 * How a REST call is defined: once, in front of its handler. Its route, its checks, who may make it and
 * its documentation come from there.
 */

import {
  createRoute,
  OpenAPIHono,
  type RouteConfig,
  type z,
} from "@hono/zod-openapi";
import type { Context } from "hono";
import type { AppEnv, RouteDeps } from "./deps.ts";
import { requireSession } from "./middleware/require_session.ts";
import { answerInvalid } from "./middleware/validation.ts";
import { type DocumentedProblems, documentProblems } from "./problem_docs.ts";
import type { ProblemCode } from "./problems.ts";

/**
 * Who may make a call, and what all others are answered: it is open to everybody, or for who is signed
 * in. A `counted` one is also refused when its user makes too many calls, an `uncounted` one never.
 */
const ACCESS_PROBLEMS = {
  public: [],
  counted: ["unauthorized", "other_user", "too_many_requests"],
  uncounted: ["unauthorized", "other_user"],
} as const satisfies Record<string, readonly ProblemCode[]>;

type Access = keyof typeof ACCESS_PROBLEMS;

export interface CallDefinition<
  Method extends RouteConfig["method"],
  Path extends string,
  Request extends NonNullable<RouteConfig["request"]>,
  Answers extends RouteConfig["responses"],
  Problem extends ProblemCode,
  CallAccess extends Access,
> {
  readonly method: Method;
  /** Below the address of the feature; parameters stand in braces. */
  readonly path: Path;
  /** The call's name in generated clients, never changed. */
  readonly operationId: string;
  /** The group in which the documentation shows it. */
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  /** `counted` by default. */
  readonly access?: CallAccess;
  /** What the documentation says in place of {@link access}. */
  readonly security?: Record<string, string[]>[];
  readonly request?: Request;
  /** What is answered with success, by status. */
  readonly answers: Answers;
  /** Those beside {@link impliedProblems}. */
  readonly problems?: readonly Problem[];
}

/** Either way of being signed in will do. */
const SIGNED_IN = [{ bearer: [] }, { cookie: [] }];

/** A call as the documentation has it. Nothing stands in front of its handler: see {@link restCall}. */
export function describeCall<
  const Method extends RouteConfig["method"],
  const Path extends string,
  Answers extends RouteConfig["responses"],
  Request extends NonNullable<RouteConfig["request"]> = Record<never, never>,
  Problem extends ProblemCode = never,
  CallAccess extends Access = "counted",
>(
  call: CallDefinition<Method, Path, Request, Answers, Problem, CallAccess>,
) {
  const { tag, access, request, answers, problems = [], ...rest } = call;
  const documented = documentProblems([...problems, ...impliedProblems(call)]);
  return createRoute({
    security: access === "public" ? [] : SIGNED_IN,
    ...rest,
    tags: [tag],
    request: request ?? {} as Request,
    responses: {
      ...answers,
      ...documented as DocumentedProblems<
        Problem | typeof ACCESS_PROBLEMS[CallAccess][number]
      >,
    },
  });
}

/** The route of a call, for `app.openapi()`: its handler finds `c.var.session`, if it is not public. */
export function restCall<
  const Method extends RouteConfig["method"],
  const Path extends string,
  Answers extends RouteConfig["responses"],
  Request extends NonNullable<RouteConfig["request"]> = Record<never, never>,
  Problem extends ProblemCode = never,
  CallAccess extends Access = "counted",
>(
  { findSession, callBudget }: Pick<RouteDeps, "findSession" | "callBudget">,
  call: CallDefinition<Method, Path, Request, Answers, Problem, CallAccess>,
) {
  const { access = "counted" } = call;
  const middleware = access === "public"
    ? []
    : access === "uncounted"
    ? [requireSession({ findSession })]
    : [requireSession({ findSession, callBudget })];
  return { ...describeCall(call), middleware };
}

const SAFE_METHODS: readonly string[] = ["get", "head", "options", "trace"];

/** What is answered in front of the handler. */
function impliedProblems(
  { method, access = "counted", request }: {
    readonly method: string;
    readonly access?: Access;
    readonly request?: NonNullable<RouteConfig["request"]>;
  },
): ProblemCode[] {
  const codes: ProblemCode[] = [
    ...ACCESS_PROBLEMS[access],
    "internal",
    "unavailable",
  ];
  if (request?.query !== undefined || request?.body !== undefined) {
    codes.push("validation_failed");
  }
  // What may have a body is refused for its length and type, also where no body is wanted.
  if (!SAFE_METHODS.includes(method)) {
    codes.push("cross_origin", "body_too_large", "unsupported_media_type");
  }
  return codes;
}

/** Adds a call whose handler checks for itself what comes in, and who sends it. */
export function addUncheckedCall(
  app: OpenAPIHono<AppEnv>,
  call: RouteConfig & { getRoutingPath(): string },
  handler: (c: Context<AppEnv>) => Response | Promise<Response>,
): void {
  app.openAPIRegistry.registerPath(call);
  app.on(call.method, call.getRoutingPath(), handler);
}

/** Adds a call and its handler to the routes of a feature. */
export type AddCall = (app: OpenAPIHono<AppEnv>, deps: RouteDeps) => void;

/** The routes of a feature, to be mounted at its address. */
export function restRoutes(
  deps: RouteDeps,
  calls: readonly AddCall[],
): OpenAPIHono<AppEnv> {
  const app = new OpenAPIHono<AppEnv>({ defaultHook: answerInvalid });
  for (const add of calls) add(app, deps);
  return app;
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
