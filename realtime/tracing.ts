/** OpenTelemetry spans. Without `OTEL_DENO=true` they are the API's empty ones and cost next to nothing. */

import { type Attributes, SpanStatusCode, trace } from "@opentelemetry/api";

/** Runs within a span of this name; a rejection is marked on the span by name only and passed on. */
export async function traced<T>(
  name: string,
  attributes: Attributes,
  run: () => Promise<T>,
): Promise<T> {
  const tracer = trace.getTracer("chatket");
  return await tracer.startActiveSpan(name, { attributes }, async (span) => {
    try {
      return await run();
    } catch (error) {
      span.setStatus({
        code: SpanStatusCode.ERROR,
        message: error instanceof Error ? error.name : "unknown",
      });
      throw error;
    } finally {
      span.end();
    }
  });
}

/** As {@link traced}, for what is done when it returns. */
export function tracedSync<T>(
  name: string,
  attributes: Attributes,
  run: () => T,
): T {
  const span = trace.getTracer("chatket").startSpan(name, { attributes });
  try {
    return run();
  } finally {
    span.end();
  }
}
