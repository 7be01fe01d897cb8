import type { Handler } from "../connection/dispatch.ts";

/** A sign of life. That a frame came in is all that counts, and every frame does. */
export function presencePing(): Handler<"presence:ping"> {
  return () => ({ success: true });
}
