/** The secret that signs sessions where none is set, in development. */

/** Size of the secret, in bytes. */
const SECRET_BYTES = 32;

/**
 * The secret kept in a folder; made on first start, so that sessions outlive a restart.
 *
 * @throws {Error} of the operating system, when it can be neither read nor made
 */
export async function keptSecret(dataDir: string): Promise<string> {
  const path = `${dataDir}/jwt_secret`;
  try {
    const secret = await Deno.readTextFile(path);
    // Empty when the disk was full at its creation: it has signed no token.
    if (secret !== "") return secret;
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  await Deno.mkdir(dataDir, { recursive: true });
  const secret = crypto.getRandomValues(new Uint8Array(SECRET_BYTES)).toHex();
  await Deno.writeTextFile(path, secret, { mode: 0o600, createNew: true });
  return secret;
}
