import type { Message, Quote } from "../../realtime/protocol/protocol.ts";
import { quotedText } from "../../text/quote.ts";

/** What a reply shows of a message. */
export function quoteOf(
  { messageId, seq, sender, text, deletedAt }: Message,
): Quote {
  return {
    ...{ messageId, seq, sender, text: quotedText(text) },
    ...(deletedAt && { deleted: true }),
  };
}
