/** Length of a text in Unicode code points, the unit of the limits on texts. */
export function codePointLength(text: string): number {
  let length = 0;
  for (const _ of text) length++;
  return length;
}
