/** Opens the port. */

import type { OpenAPIHono } from "@hono/zod-openapi";
import { type Config, unusable } from "../config.ts";
import type { Log } from "../log.ts";
import type { AppEnv } from "./deps.ts";
import { createHandler } from "./handler.ts";

/**
 * Serves the app at the address that the settings name, and says in the log where that is.
 *
 * @throws {ConfigError} naming `PORT` or `HOST` when the system refuses them
 */
export function listen(
  config: Config,
  log: Log,
  app: OpenAPIHono<AppEnv>,
): Deno.HttpServer<Deno.NetAddr> {
  const { port, host } = config;
  try {
    return Deno.serve({
      port,
      hostname: host,
      // Pages and lists. What is compressed already, and event streams, say so and are left alone.
      automaticCompression: true,
      onListen: ({ port, hostname }) =>
        log.info("ChatKet is listening", {
          url: urlOf(config, hostname, port),
          port,
        }),
    }, createHandler(app));
  } catch (error) {
    const isPort = error instanceof Deno.errors.AddrInUse ||
      error instanceof Deno.errors.PermissionDenied;
    throw isPort
      ? unusable("PORT", port, error)
      : unusable("HOST", host, error);
  }
}

/** An address that can be clicked: a wildcard address is this machine. */
function urlOf(config: Config, hostname: string, port: number): string {
  if (config.publicOrigin !== undefined) return config.publicOrigin;
  const host = /^(0\.0\.0\.0|::)$/.test(hostname) ? "localhost" : hostname;
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}
