/** Answers files of `static/`, in the compressed forms that the build has written beside them. */

import type { Context, MiddlewareHandler } from "hono";
import { etag } from "hono/etag";
import { serveStatic } from "hono/serve-static";
import { COMPRESSIBLE_CONTENT_TYPE_REGEX } from "hono/utils/compress";
import { getMimeType } from "hono/utils/mime";

/** Longer paths name no file of ours; file systems answer them with errors of their own. */
const MAX_PATH = 200;

/** Names that may be asked for: no dotfiles, no way out, nothing that another system reads differently. */
const SAFE_SEGMENT = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/;

/** A built file with its content's hash in its name. */
const HASHED_NAME = /^build\/(?:.*\/)?[\w.-]+-[A-Z0-9]{8}\.[\w.]+$/i;

/** The browser asks each time; with the ETag that costs a 304. */
const REVALIDATE = "no-cache";

/** A year, in seconds, and never again: the name changes with the content. */
const FOREVER = "public, max-age=31536000, immutable";

/**
 * For `app.get()`. What there is no file for goes on to the next handler.
 *
 * @param staticDir the folder, with a slash at its end
 * @param toFile the path of the file below the folder, from the path of the request
 */
export function staticFiles(
  staticDir: URL,
  toFile: (path: string) => string,
): [MiddlewareHandler, MiddlewareHandler] {
  const serve = serveStatic({
    rewriteRequestPath: toFile,
    precompressed: true,
    // Not `hono/deno`: it follows links, gives no length, and leaves the file open after HEAD.
    getContent: (path, c) => readPlainFile(staticDir, path, c),
    onFound(path, c) {
      const type = getMimeType(path) ?? "";
      const isHashed = HASHED_NAME.test(path);
      c.header("Cache-Control", isHashed ? FOREVER : REVALIDATE);
      if (isHashed) c.header("ETag", `W/"${path}"`);
      if (COMPRESSIBLE_CONTENT_TYPE_REGEX.test(type)) {
        c.header("Vary", "Accept-Encoding");
      }
    },
  });
  return [etag({ weak: true }), serve];
}

/** The content, and its length as a header; null when there is no plain file of that name. */
async function readPlainFile(
  folder: URL,
  path: string,
  c: Context,
): Promise<Uint8Array<ArrayBuffer> | null> {
  const isSafe = path.length <= MAX_PATH &&
    path.split("/").every((segment) => SAFE_SEGMENT.test(segment));
  if (!isSafe) return null;
  const file = new URL(path, folder);
  try {
    if (!(await Deno.lstat(file)).isFile) return null;
    const content = await Deno.readFile(file);
    // The runtime would count it itself, but HEAD has no body to count.
    c.header("Content-Length", String(content.length));
    return content;
  } catch (error) {
    if (
      error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotADirectory
    ) return null;
    throw error;
  }
}
