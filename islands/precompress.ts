/** The compressed forms of what is built, which the server gives as they are. */

import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

const TEXT = /\.(css|js|json|map|svg|webmanifest)$/;

/** By the ending that a form's name has. As small as it gets: that costs time once. */
const COMPRESSORS = {
  br: (bytes: Uint8Array) =>
    promisify(brotliCompress)(bytes, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
        [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
      },
    }),
  gz: (bytes: Uint8Array) =>
    promisify(gzip)(bytes, { level: constants.Z_BEST_COMPRESSION }),
};

/**
 * Writes `NAME.br` and `NAME.gz` beside each text, where they are smaller than it and not there yet.
 *
 * @param folder with a slash at its end
 * @param names paths below it
 * @returns the names of the forms
 */
export async function precompress(
  folder: URL,
  names: readonly string[],
): Promise<string[]> {
  const texts = names.filter((name) => TEXT.test(name));
  const forms = texts.flatMap((name) =>
    Object.entries(COMPRESSORS).map(async ([ending, compress]) => {
      const form = `${name}.${ending}`;
      const [from, to] = [new URL(name, folder), new URL(form, folder)];
      if (await writtenAt(to) >= await writtenAt(from)) return [form];
      const plain = await Deno.readFile(from);
      const compressed = await compress(plain);
      if (compressed.length >= plain.length) return [];
      await Deno.writeFile(to, compressed);
      return [form];
    })
  );
  return (await Promise.all(forms)).flat();
}

/** In milliseconds since 1970; never, when there is no such file. */
async function writtenAt(file: URL): Promise<number> {
  try {
    return (await Deno.stat(file)).mtime?.getTime() ?? -Infinity;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return -Infinity;
    throw error;
  }
}
