import { createClient, createCluster, ErrorReply } from "@redis/client";
import { RedisAwayError } from "./answer_watch.ts";

/** A server that says nothing for this long is taken for gone, in milliseconds. */
const SOCKET_TIMEOUT_MS = 3_000;

/** Must be shorter than the time-out: a quiet connection is not a dead one. */
const PING_INTERVAL_MS = 1_000;

const MAX_RECONNECT_DELAY_MS = 1_000;

/** What is asked of Redis, be it one server or a cluster. */
export interface RedisCommands {
  eval(script: string, options: ScriptOptions): Promise<unknown>;
  evalSha(digest: string, options: ScriptOptions): Promise<unknown>;
  exists(key: string): Promise<number>;
  pExpire(key: string, milliseconds: number): Promise<number>;
  sMembers(key: string): Promise<string[]>;
  zRem(key: string, member: string): Promise<number>;
  sPublish(channel: string, text: string): Promise<number>;
}

export interface ScriptOptions {
  keys: string[];
  arguments: string[];
}

/** Subscribes to channels. */
export interface RedisSubscriber {
  sSubscribe(channel: string, hear: (text: string) => void): Promise<void>;
  sUnsubscribe(channel: string, hear: (text: string) => void): Promise<void>;
}

export interface RedisConnection {
  readonly commands: RedisCommands;
  readonly subscriber: RedisSubscriber;
  /** Whether everything that is asked can be sent; of a cluster, what one of its nodes has. */
  readonly isReady: boolean;
  /**
   * Asks for a sign of life. Resolves when Redis serves; of a cluster, when one of its nodes does: it
   * still carries what that node has. A key that may not be read is a sign, too.
   *
   * @throws what was answered instead, or why nothing can be asked
   */
  probe(key: string): Promise<void>;
  /** Connects, and again for ever. Resolves when it has first been done. */
  connect(): Promise<void>;
  destroy(): void;
}

/** Tells what has become of a connection. */
export interface RedisEvents {
  ready(): void;
  away(): void;
  /** Something went wrong: with what is away, each time it is tried again. */
  failed(error: unknown): void;
}

/** A connection that comes back by itself for ever, and refuses commands at once in between. */
export function createRedisConnection(
  url: string,
  events: RedisEvents,
): RedisConnection {
  return CLUSTER_SCHEME.test(url)
    ? clusterConnection(url, events)
    : serverConnection(url, events);
}

/** `redis+cluster://` names any node of a cluster. */
const CLUSTER_SCHEME = /^(rediss?)\+cluster:/;

const CLIENT_OPTIONS = {
  RESP: 2,
  maintNotifications: "disabled",
  disableOfflineQueue: true,
  pingInterval: PING_INTERVAL_MS,
} as const;

const SOCKET_OPTIONS = {
  connectTimeout: SOCKET_TIMEOUT_MS,
  // With the library's own strategy a time-out would close the client for good.
  socketTimeout: SOCKET_TIMEOUT_MS,
  reconnectStrategy: (retries: number) =>
    Math.min(50 * (retries + 1), MAX_RECONNECT_DELAY_MS),
};

/** Redis is there and does not serve: it has just been started, or its cluster is not whole. */
const SERVES_NOTHING = /^(CLUSTERDOWN|LOADING|MASTERDOWN)/;

/** Resolves when a server serves, be it by saying that another node has the key. */
async function signOfLife(
  server: Pick<RedisCommands, "exists">,
  key: string,
): Promise<void> {
  try {
    await server.exists(key);
  } catch (error) {
    if (!(error instanceof ErrorReply) || SERVES_NOTHING.test(error.message)) {
      throw error;
    }
  }
}

function serverConnection(
  url: string,
  events: RedisEvents,
): RedisConnection {
  // A connection that listens can do nothing else.
  const [commands, subscriber] = [0, 1].map(() =>
    createClient({
      ...CLIENT_OPTIONS,
      url,
      // A copy: the client notes in it whether the URL wants TLS.
      socket: { ...SOCKET_OPTIONS },
    })
  ) as [ReturnType<typeof createClient>, ReturnType<typeof createClient>];
  const both = [commands, subscriber];
  for (const client of both) {
    // Without a listener an error ends the process.
    client.on("error", events.failed);
    client.on("ready", events.ready);
    client.on("reconnecting", events.away);
    client.on("end", events.away);
  }
  return {
    commands,
    subscriber,
    get isReady() {
      return both.every((client) => client.isReady);
    },
    probe: (key) => signOfLife(commands, key),
    async connect() {
      await Promise.all(both.map((client) => client.connect()));
    },
    destroy: () => both.forEach((client) => client.destroy()),
  };
}

function clusterConnection(
  url: string,
  events: RedisEvents,
): RedisConnection {
  const plain = url.replace(CLUSTER_SCHEME, "$1:");
  const { protocol, username, password } = new URL(plain);
  const cluster = createCluster({
    rootNodes: [{ url: plain }],
    defaults: {
      ...CLIENT_OPTIONS,
      socket: { ...SOCKET_OPTIONS, ...protocol === "rediss:" && { tls: true } },
      ...username !== "" && { username: decodeURIComponent(username) },
      ...password !== "" && { password: decodeURIComponent(password) },
    },
  });
  cluster.on("error", events.failed);
  cluster.on("node-error", events.failed);
  cluster.on("connect", events.ready);
  // The cluster itself stays ready until it is destroyed, whatever becomes of its nodes.
  const isReady = () => cluster.isReady && cluster.masters.some(isNodeReady);
  const lookWhetherAway = () => {
    if (!isReady()) events.away();
  };
  // A node that is back serves nothing for some seconds: the next probe that is answered says that it does.
  cluster.on("node-reconnecting", lookWhetherAway);
  cluster.on("node-disconnect", lookWhetherAway);
  /** @throws {RedisAwayError} at once: the client would wait for the node, for ever if need be */
  const refuseIfAway = async (channel: string) => {
    const client = await cluster.getNodeClientForKey(channel);
    const node = cluster.masters.find((node) => node.client === client);
    if (node === undefined || !isNodeReady(node)) {
      throw new RedisAwayError("the channel's node is away");
    }
  };
  let isClosed = false;
  return {
    commands: cluster,
    subscriber: {
      async sSubscribe(channel, hear) {
        await refuseIfAway(channel);
        await cluster.sSubscribe(channel, hear);
      },
      async sUnsubscribe(channel, hear) {
        await refuseIfAway(channel);
        await cluster.sUnsubscribe(channel, hear);
      },
    },
    get isReady() {
      return isReady();
    },
    async probe(key) {
      const clients = cluster.masters.flatMap(({ client }) => client ?? []);
      try {
        await Promise.any(clients.map((client) => signOfLife(client, key)));
      } catch (error) {
        // What one of them says tells more than that all have failed.
        throw error instanceof AggregateError
          ? error.errors[0] ?? error
          : error;
      }
    },
    async connect() {
      for (let retries = 0; !isClosed; retries++) {
        try {
          await cluster.connect();
          return;
        } catch (error) {
          events.failed(error);
          await new Promise((resolve) =>
            setTimeout(resolve, SOCKET_OPTIONS.reconnectStrategy(retries))
          );
        }
      }
    },
    destroy() {
      isClosed = true;
      if (cluster.isOpen) cluster.destroy();
    },
  };
}

interface ClusterNode {
  client?: { isReady: boolean };
  /** Exists only while at least one channel is subscribed to. */
  pubSub?: { connectPromise?: unknown; client: { isReady: boolean } };
}

/** Whether a node answers and delivers. A subscribed client is ready when its subscriptions are restored. */
function isNodeReady({ client, pubSub }: ClusterNode): boolean {
  // One that is being made for the first channel does not mean that the node is away.
  const hears = pubSub === undefined || pubSub.connectPromise !== undefined ||
    pubSub.client.isReady;
  return client?.isReady === true && hears;
}
