/** Prints a measured figure under a running test. */
export function report(line: string): void {
  // deno-lint-ignore no-console -- a figure nobody sees is of no use.
  console.log(`  ${line}`);
}
