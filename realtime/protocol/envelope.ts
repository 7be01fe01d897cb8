/** The frame around an event's data, and the ack of an event that is refused. */

import { z } from "zod";
import {
  PERMANENT_REFUSALS,
  type RefusalCode,
  REFUSALS,
  TEMPORARY_REFUSALS,
} from "./refusals.ts";
import { Message } from "./messages.ts";
import { Seq, Time } from "./shapes.ts";

/** A client frame before its event is known. */
export const Envelope = z.object({
  id: Seq.optional().describe("Asks for an ack, which carries the same number"),
  event: z.string().meta({ example: "presence:ping" }),
  data: z.looseObject({}),
});

export const RefusalCodeSchema = z.enum([
  ...PERMANENT_REFUSALS,
  ...TEMPORARY_REFUSALS,
]);

/** The ack of a refused event. */
export const Refusal = z.object({
  success: z.literal(false),
  error: z.string(),
  code: RefusalCodeSchema,
  mutedUntil: Time.exactOptional().describe("Only with the code muted"),
  message: Message.exactOptional().describe("Only with the code edit_conflict"),
}).meta({ id: "Refusal" });

export type Refusal = z.infer<typeof Refusal>;

/** A refusal as ack data. @param error what a person reads; the code's own text when left out */
export function refuse(
  code: RefusalCode,
  error: string = REFUSALS[code].text,
): Refusal {
  return { success: false, error, code };
}
