/** A checkout of ChatKet on an embedded database of its own, with the rooms that are measured. */

import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import {
  createRoom,
  joinRoom,
  type Person,
  signIn,
} from "../../tests/helpers/people.ts";
import { runIn } from "../targets.ts";

/** A limit that is checked and never reached. */
const NO_LIMIT = "1000000";

/** One reader's rooms: the one that is shown, and another one. */
export interface Rooms {
  readonly count: number;
  readonly reader: Person;
  readonly open: string;
  readonly other: string;
}

export interface Checkout extends AsyncDisposable {
  readonly name: string;
  readonly origin: string;
  /** Writes in the rooms. */
  readonly writer: Person;
  /** By how many rooms the reader is in. */
  readonly rooms: readonly Rooms[];
  /** Bytes of script the chat page loads before it is usable, after gzip. */
  readonly firstLoadBytes: number;
  /** The chat's script with a count of drawn components as `globalThis.drawn`. */
  readonly countingScript: string;
}

/**
 * Builds a checkout, starts it and fills its database.
 *
 * @param root its folder, with a slash at the end
 */
export async function startCheckout(
  name: string,
  root: string,
  roomCounts: readonly number[],
): Promise<Checkout> {
  await using started = new AsyncDisposableStack();
  await runIn(root, Deno.execPath(), ["task", "-q", "build"]);
  const folder = await Deno.makeTempDir();
  started.defer(() => Deno.remove(folder, { recursive: true }));
  const server = await startServer(root, folder);
  started.defer(server.stop);
  const app = { origin: server.origin };
  const writer = await signIn(app, "writer");
  const rooms: Rooms[] = [];
  for (const count of roomCounts) {
    rooms.push(await makeRooms(app, writer, count));
  }
  const firstLoadBytes = await measureFirstLoad(root);
  const countingScript = await buildCounting(root);
  const all = started.move();
  return {
    name,
    ...{ writer, rooms, firstLoadBytes, countingScript },
    origin: server.origin,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

async function makeRooms(
  app: { origin: string },
  writer: Person,
  count: number,
): Promise<Rooms> {
  const reader = await signIn(app, `reader_${count}`);
  const ids: string[] = [];
  for (let made = 0; made < count; made++) {
    ids.push((await createRoom(reader)).id);
  }
  const [open = "", other = ""] = ids.slice(-2);
  for (const id of [open, other]) await joinRoom(writer, id);
  return { count, reader, open, other };
}

async function startServer(root: string, folder: string) {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-A", "main.ts"],
    cwd: root,
    env: {
      DATA_DIR: folder,
      HOST: "127.0.0.1",
      PORT: "0",
      CHATKET_ENV: "production",
      JWT_SECRET: crypto.randomUUID(),
      CODE_DELIVERY: "response",
      ALLOW_INSECURE_CODES: "yes",
      RATE_LIMIT_MESSAGES: NO_LIMIT,
      ROOMS_PER_HOUR: NO_LIMIT,
      REST_LIMIT_PER_MINUTE: NO_LIMIT,
      LOG_LEVEL: "info",
    },
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const port = Promise.withResolvers<number>();
  const reading = child.stdout.pipeThrough(new TextDecoderStream()).pipeTo(
    new WritableStream({
      write(text) {
        const found = /"port":(\d+)/.exec(text)?.[1];
        if (found !== undefined) port.resolve(Number(found));
      },
    }),
  );
  child.status.then(({ code }) =>
    port.reject(new Error(`the server in ${root} ended with ${code}`))
  );
  return {
    origin: `http://127.0.0.1:${await port.promise}`,
    async stop() {
      child.kill("SIGTERM");
      await child.status;
      await reading;
    },
  };
}

async function measureFirstLoad(root: string): Promise<number> {
  const folder = `${root}static/build/`;
  const manifest = JSON.parse(
    await Deno.readTextFile(`${folder}manifest.json`),
  );
  const { file, imports = [] } = manifest.entries.chat;
  const sizes = [file, ...imports].map((path) =>
    gzipSync(Deno.readFileSync(folder + path), { level: 9 }).length
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Preact calls `options.__r` before it draws a component. */
const COUNTER = `import { options } from "preact";
globalThis.drawn = 0;
const before = options.__r;
options.__r = (vnode) => { globalThis.drawn++; before?.(vnode); };`;

async function buildCounting(root: string): Promise<string> {
  const counter = {
    name: "counter",
    setup({ onResolve, onLoad }: Parameters<
      NonNullable<Parameters<typeof build>[0]["plugins"]>[number]["setup"]
    >[0]) {
      onResolve({ filter: /^counter$/ }, () => ({
        path: "counter",
        namespace: "counter",
      }));
      onLoad({ filter: /.*/, namespace: "counter" }, () => ({
        contents: COUNTER,
        resolveDir: root,
      }));
    },
  };
  const { outputFiles } = await build({
    absWorkingDir: root,
    stdin: {
      contents: `import "counter"; import "./islands/chat.tsx";`,
      resolveDir: root,
    },
    bundle: true,
    write: false,
    format: "esm",
    minify: true,
    jsx: "transform",
    jsxFactory: "h",
    jsxFragment: "Fragment",
    inject: [`${root}islands/jsx_factory.ts`],
    plugins: [counter],
  });
  return outputFiles[0]?.text ?? "";
}
