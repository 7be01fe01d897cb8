/** Files of one folder, kept in memory in every encoding a browser asked for. */

import type { Context } from "hono";
import { parseAccept } from "hono/utils/accept";
import { COMPRESSIBLE_CONTENT_TYPE_REGEX } from "hono/utils/compress";
import { getMimeType } from "hono/utils/mime";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

/** Longer paths name no file of ours; file systems answer them with errors of their own. */
const MAX_PATH = 200;

/** Names that may be asked for: no dotfiles, no way out, nothing that another system reads differently. */
const SAFE_SEGMENT = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/;

/** Below this many bytes compression saves nothing. */
const MIN_COMPRESSED_BYTES = 860;

/** Smaller than the default by a tenth, and still well under a second for the largest script. */
const BROTLI_QUALITY = 9;

type Encoding = "br" | "gzip";

export interface StoredFile {
  readonly type: string;
  readonly etag: string;
  readonly body: Uint8Array<ArrayBuffer>;
  readonly isCompressible: boolean;
  readonly encoded: Map<Encoding, Promise<Uint8Array<ArrayBuffer>>>;
}

const compressors = {
  br: (body: Uint8Array) =>
    promisify(brotliCompress)(body, {
      params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY },
    }),
  gzip: (body: Uint8Array) => promisify(gzip)(body),
};

export class FileStore {
  readonly #root: URL;
  readonly #files = new Map<string, { version: string; file: StoredFile }>();

  /** @param root the folder, with a slash at its end */
  constructor(root: URL) {
    this.#root = root;
  }

  /**
   * A file by its path below the folder, as it stands in a URL. Undefined when there is none, and for
   * every path that is more than plain names.
   */
  async read(path: string): Promise<StoredFile | undefined> {
    if (
      path.length > MAX_PATH ||
      !path.split("/").every((segment) => SAFE_SEGMENT.test(segment))
    ) {
      return undefined;
    }
    const url = new URL(path, this.#root);
    const version = await fileVersion(url);
    if (version === undefined) return undefined;
    const known = this.#files.get(path);
    if (known?.version === version) return known.file;
    const file = await load(url);
    this.#files.set(path, { version, file });
    return file;
  }
}

/** Changes when the file does; undefined when there is no plain file. */
async function fileVersion(url: URL): Promise<string | undefined> {
  try {
    const info = await Deno.lstat(url);
    return info.isFile ? `${info.mtime?.getTime()} ${info.size}` : undefined;
  } catch (error) {
    if (
      error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotADirectory
    ) return undefined;
    throw error;
  }
}

async function load(url: URL): Promise<StoredFile> {
  const body = await Deno.readFile(url);
  const digest = await crypto.subtle.digest("SHA-256", body);
  const type = getMimeType(url.pathname) ?? "application/octet-stream";
  return {
    type,
    // Weak: one tag for the plain and the compressed forms.
    etag: `W/"${new Uint8Array(digest).toHex().slice(0, 32)}"`,
    body,
    isCompressible: COMPRESSIBLE_CONTENT_TYPE_REGEX.test(type) &&
      body.length >= MIN_COMPRESSED_BYTES,
    encoded: new Map(),
  };
}

/** Answers a file, or 304 to one who has it. */
export async function answerFile(
  c: Context,
  file: StoredFile,
  cacheControl: string,
): Promise<Response> {
  c.header("Cache-Control", cacheControl);
  c.header("ETag", file.etag);
  if (file.isCompressible) c.header("Vary", "Accept-Encoding");
  if (isKnown(c.req.header("if-none-match"), file.etag)) {
    return c.body(null, 304);
  }
  c.header("Content-Type", file.type);
  const encoding = file.isCompressible
    ? chooseEncoding(c.req.header("accept-encoding"))
    : undefined;
  if (encoding !== undefined) c.header("Content-Encoding", encoding);
  const body = encoding === undefined
    ? file.body
    : await encode(file, encoding);
  // The runtime would count it itself, but HEAD has no body to count.
  c.header("Content-Length", String(body.length));
  return c.body(body);
}

function isKnown(ifNoneMatch: string | undefined, etag: string): boolean {
  return ifNoneMatch?.split(",").some((tag) => tag.trim() === etag) ?? false;
}

function chooseEncoding(accepted: string | undefined): Encoding | undefined {
  const wanted = parseAccept(accepted ?? "").filter(({ q }) => q > 0)
    .map(({ type }) => type);
  return (["br", "gzip"] as const).find((encoding) =>
    wanted.includes(encoding)
  );
}

/** Compresses once for each file and encoding, off the event loop. */
function encode(
  file: StoredFile,
  encoding: Encoding,
): Promise<Uint8Array<ArrayBuffer>> {
  const known = file.encoded.get(encoding);
  if (known !== undefined) return known;
  const encoded = compressors[encoding](file.body).then((bytes) =>
    new Uint8Array(bytes)
  );
  file.encoded.set(encoding, encoded);
  return encoded;
}
