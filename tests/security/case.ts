/**
 * The security checklist: each case is “input → expected” under its number. Details of a case are
 * tested where the part is tested; here every line is tried once against the running server.
 */

/** Registers a case of the checklist. */
export function securityCase(
  number: number,
  input: string,
  expected: string,
  run: () => Promise<void>,
): void {
  Deno.test(`${number}. ${input} → ${expected}`, run);
}
