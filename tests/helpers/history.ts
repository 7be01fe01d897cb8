/** What a room holds, as HTTP gives it. */

import type { Message } from "../../realtime/protocol/protocol.ts";
import type { Person } from "./people.ts";

/** The room's whole history over HTTP, oldest first. */
export async function history(
  person: Person,
  roomId: string,
): Promise<Message[]> {
  const messages: Message[] = [];
  for (let before = "";;) {
    const page = await person.getJson<
      { messages: Message[]; hasMore: boolean }
    >(`/api/rooms/${roomId}/messages?limit=100${before}`);
    messages.unshift(...page.messages);
    if (!page.hasMore) return messages;
    before = `&before=${page.messages[0]!.messageId}`;
  }
}
