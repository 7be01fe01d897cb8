import { isBlank } from "../../text/blank.ts";
import { codePointLength } from "../../text/code_points.ts";
import { MAX_TEXT_LENGTH } from "../protocol/limits.ts";

/** What is wrong with a trimmed text of a message, in a sentence; undefined when nothing is. */
export function faultOfText(text: string): string | undefined {
  if (isBlank(text)) return "The message is empty.";
  if (
    text.length > MAX_TEXT_LENGTH && codePointLength(text) > MAX_TEXT_LENGTH
  ) {
    return `The message is longer than ${MAX_TEXT_LENGTH} characters.`;
  }
  if (text.includes("\0")) return "The message contains a NUL character.";
  if (!text.isWellFormed()) return "The message is not well-formed Unicode.";
  return undefined;
}
