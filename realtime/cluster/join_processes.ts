import { unusable } from "../../config.ts";
import { openRedisBroker } from "./redis_broker.ts";
import { RedisRefusedError } from "./redis_refusal.ts";

/**
 * Opens the way to other processes. That Redis is away is no reason not to serve; that it refuses us is.
 *
 * @throws {ConfigError} naming `REDIS_URL` when Redis refuses this process
 */
export async function joinProcesses(
  options: Parameters<typeof openRedisBroker>[0],
): ReturnType<typeof openRedisBroker> {
  try {
    return await openRedisBroker(options);
  } catch (error) {
    throw error instanceof RedisRefusedError
      ? unusable("REDIS_URL", options.url, error)
      : error;
  }
}
