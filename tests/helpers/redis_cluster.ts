/** A throwaway Redis Cluster from the program on this machine. It keeps nothing on disk but who is in it. */

import { freePort, runOrThrow } from "./system.ts";

/** A cluster must be whole within this time, in milliseconds. */
const START_LIMIT_MS = 30_000;

const SLOTS = 16_384;

/** Dispose of it: its nodes end and its folder goes. */
export interface RedisCluster extends AsyncDisposable {
  /** `redis+cluster://127.0.0.1:port`, of the first node. */
  readonly url: string;
  /** `kill -9` of one node, counted from 0. */
  kill(node: number): Promise<void>;
  /** Starts a node that was killed, empty, with the place in the cluster that it had. Does not wait for it. */
  start(node: number): void;
}

/**
 * Starts a cluster of masters without replicas, which goes on without those that are away; resolves
 * when every node knows that it is whole.
 *
 * @param count of nodes: one, or three and more
 */
export async function startRedisCluster(count: number): Promise<RedisCluster> {
  await using stack = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "chatket-cluster-" });
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const nodes = Array.from({ length: count }, (_, number) => {
    const node = createNode(folder, number);
    stack.defer(node.kill);
    node.start();
    return node;
  });
  const [first] = nodes as [Node, ...Node[]];
  for (const { port } of nodes) {
    await until("a node answers", () => answers(port, ["ping"], "PONG"));
  }
  if (count === 1) {
    await runOrThrow("redis-cli", [
      ...["-p", `${first.port}`],
      ...["cluster", "addslotsrange", "0", `${SLOTS - 1}`],
    ]);
  } else {
    await runOrThrow("redis-cli", [
      ...["--cluster", "create", "--cluster-replicas", "0", "--cluster-yes"],
      ...nodes.map(({ port }) => `127.0.0.1:${port}`),
    ]);
  }
  for (const { port } of nodes) {
    await until(
      "a node knows that the cluster is whole",
      () => answers(port, ["cluster", "info"], "cluster_state:ok"),
    );
  }
  const all = stack.move();
  return {
    url: `redis+cluster://127.0.0.1:${first.port}`,
    kill: (node) => nodes[node]!.kill(),
    start: (node) => nodes[node]!.start(),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

type Node = ReturnType<typeof createNode>;

function createNode(folder: string, number: number) {
  const [port, busPort] = [freePort(), freePort()];
  let child: Deno.ChildProcess | undefined;
  return {
    port,
    start() {
      child = new Deno.Command("redis-server", {
        args: [
          ...["--bind", "127.0.0.1", "--port", `${port}`, "--dir", folder],
          // The cluster bus would take a port far above, which may not exist.
          ...["--cluster-port", `${busPort}`],
          ...["--cluster-enabled", "yes", "--cluster-config-file", `${number}`],
          // What the other nodes have still works.
          ...["--cluster-require-full-coverage", "no"],
          ...["--save", "", "--appendonly", "no"],
        ],
        stdin: "null",
        stdout: "null",
        stderr: "null",
      }).spawn();
    },
    async kill() {
      if (child === undefined) return;
      try {
        child.kill("SIGKILL");
      } catch (error) {
        // It has ended already.
        if (!(error instanceof TypeError)) throw error;
      }
      await child.status;
      child = undefined;
    },
  };
}

/** Whether a node's answer to a command holds a text. */
async function answers(
  port: number,
  words: string[],
  text: string,
): Promise<boolean> {
  try {
    const answer = await runOrThrow("redis-cli", ["-p", `${port}`, ...words]);
    return answer.includes(text);
  } catch {
    return false;
  }
}

async function until(
  what: string,
  isTrue: () => Promise<boolean>,
): Promise<void> {
  for (const limit = Date.now() + START_LIMIT_MS; !await isTrue();) {
    if (Date.now() > limit) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
