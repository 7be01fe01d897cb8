/** Whether anything of a text is seen: the same for the server and the browser. */

/** White space, controls, format characters, what Unicode calls ignorable, and two blank signs. */
const BLANK = /^[\s\p{Cc}\p{Cf}\p{DI}\u2800\u{1D159}]*$/u;

/** Whether a text shows nothing: it is empty, or all white space and invisible characters. */
export function isBlank(text: string): boolean {
  return BLANK.test(text);
}
