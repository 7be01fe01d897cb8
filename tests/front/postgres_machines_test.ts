/** Two servers are one chat behind the shipped front, and no client sticks to either of them. */

import assert from "node:assert/strict";
import { eventStreamTransport } from "../../islands/client/connection/event_stream_transport.ts";
import type { Message } from "../../realtime/protocol/protocol.ts";
import { ServerProcess } from "../faults/server_process.ts";
import { connect } from "../helpers/client.ts";
import {
  createRoom,
  joinRoom,
  type Person,
  type Served,
  signIn,
} from "../helpers/people.ts";
import { postgresMissing, startPostgres } from "../helpers/postgres.ts";
import { redisMissing, startRedis } from "../helpers/redis.ts";
import { freePort } from "../helpers/system.ts";
import { nginxMissing, startNginx } from "./nginx.ts";

const METRICS_TOKEN = "opens-the-metrics-of-two-machines";

/** What must happen happens within this time, in milliseconds. */
const PATIENCE_MS = 10_000;

const missing = await nginxMissing() ?? await postgresMissing() ??
  await redisMissing();

Deno.test({
  name:
    "two machines behind the front: sockets and event streams on either hear all, and outlive one of them",
  ignore: missing !== undefined,
  async fn() {
    await using stack = new AsyncDisposableStack();
    const cluster = stack.use(await startPostgres());
    const redis = stack.use(await startRedis());
    const machines = [];
    for (const port of [freePort(), freePort()] as const) {
      machines.push(
        await startMachine(stack, port, cluster.url(), redis.url),
      );
    }
    const [first, second] = machines as [Machine, Machine];
    const front = stack.use(
      await startNginx([first.port, second.port], "beside"),
    );

    const people: Person[] = [];
    for (const name of ["alice", "bob", "carol", "dave"]) {
      people.push(await signIn(front, name));
    }
    const [alice, bob, carol, dave] = people as [
      ...[Person, Person, Person, Person],
    ];
    const { id: roomId } = await createRoom(alice);
    for (const person of [bob, carol, dave]) await joinRoom(person, roomId);

    const voices: Voice[] = [];
    for (const person of [alice, bob]) {
      voices.push(stack.use(await openSocket(front, person)));
    }
    for (const person of [carol, dave]) {
      voices.push(stack.use(await openStream(front, person)));
    }
    // The front gives a new connection to the machine with the fewest.
    await until(
      "two connections at each",
      async () =>
        await connectionsOf(first) === 2 && await connectionsOf(second) === 2,
    );
    for (const voice of voices) {
      await voice.request("room:join", { roomId });
    }
    // So many that posts for either stream come to both machines.
    for (let turn = 0; turn < 5; turn++) {
      for (const voice of voices) {
        await voice.request("message:send", {
          ...{ roomId, text: `turn ${turn}` },
          clientMsgId: crypto.randomUUID(),
        });
      }
    }
    const all = Array.from({ length: 20 }, (_, index) => index + 1);
    for (const [index, voice] of voices.entries()) {
      await until(
        `all messages at ${index}`,
        () => voice.messages().length >= all.length,
      );
      assert.deepEqual(voice.messages().map(({ seq }) => seq), all);
    }
    assert.deepEqual(
      voices.map(({ isOpen }) => isOpen()),
      [true, true, true, true],
      "no line was lost",
    );
    await isOwnPage(front, alice, roomId);

    // One machine dies: the front asks the other, and those there go on.
    await first.server.kill();
    for (let turn = 0; turn < 10; turn++) {
      assert.ok(Array.isArray(await alice.getJson("/api/rooms")));
      const { id } = await createRoom(bob);
      assert.ok(id);
    }
    const isLeft = ({ isOpen }: Voice) => isOpen();
    await until(
      "its lines are gone",
      () => voices.filter(isLeft).length === 2,
    );
    const left = voices.filter(isLeft);
    const returned = stack.use(await openSocket(front, alice));
    const streamed = stack.use(await openStream(front, carol));
    for (const voice of [returned, streamed]) {
      await voice.request("room:join", { roomId, lastSeq: all.length });
      await voice.request("message:send", {
        ...{ roomId, text: "back again", clientMsgId: crypto.randomUUID() },
      });
    }
    for (const voice of left) {
      await until("the newest", () => voice.messages().at(-1)?.seq === 22);
    }
    await until(
      "the newest on the new stream",
      () => streamed.messages().at(-1)?.seq === 22,
    );
  },
});

interface Machine extends Served {
  readonly port: number;
  readonly server: ServerProcess;
}

async function startMachine(
  stack: AsyncDisposableStack,
  port: number,
  databaseUrl: string,
  redisUrl: string,
): Promise<Machine> {
  const dataDir = await Deno.makeTempDir({ prefix: "chatket-machine-" });
  const server = new ServerProcess({
    port,
    alarm: (text) => assert.fail(text),
    env: {
      ...{ DATA_DIR: dataDir, DATABASE_URL: databaseUrl, REDIS_URL: redisUrl },
      RATE_LIMIT_MESSAGES: "100",
      JWT_SECRET: "a secret of the front's tests, long enough for production",
      CODE_DELIVERY: "response",
      ALLOW_INSECURE_CODES: "yes",
      TRUSTED_PROXY_HOPS: "1",
      METRICS_TOKEN,
    },
  });
  stack.defer(async () => {
    await server.kill();
    await Deno.remove(dataDir, { recursive: true });
  });
  await server.start();
  const origin = `http://127.0.0.1:${port}`;
  const answer = await (await fetch(`${origin}/ready`)).json();
  assert.equal(answer.backbone, "ok");
  return { port, origin, server };
}

async function connectionsOf({ origin }: Machine): Promise<number> {
  const answer = await fetch(`${origin}/metrics`, {
    headers: { authorization: `Bearer ${METRICS_TOKEN}` },
  });
  return Number(/^chatket_connections (\d+)$/m.exec(await answer.text())?.[1]);
}

/** The front passes on under which origin a browser sees the chat, its port included. */
async function isOwnPage(
  front: Served,
  person: Person,
  roomId: string,
): Promise<void> {
  const join = async (origin: string) => {
    const answer = await fetch(`${front.origin}/api/rooms/${roomId}/join`, {
      method: "POST",
      headers: { cookie: person.cookie, origin },
    });
    await answer.body?.cancel();
    return answer.status;
  };
  assert.equal(await join(front.origin), 200);
  assert.equal(await join(front.origin.replace(/:\d+$/, "")), 403);
}

/** Somebody in the chat, over either wire. */
interface Voice extends AsyncDisposable {
  /** Sends an event whose ack must be a success. */
  request(event: string, data: Record<string, unknown>): Promise<void>;
  messages(): Message[];
  isOpen(): boolean;
}

async function openSocket(front: Served, person: Person): Promise<Voice> {
  const client = await connect(front, person);
  let open = true;
  void client.closed.then(() => open = false);
  return {
    async request(event, data) {
      await client.expect(event as "message:send", data as never);
    },
    messages: () => client.all("message:new"),
    isOpen: () => open,
    [Symbol.asyncDispose]: async () => void await client.close(),
  };
}

/** The wire of the browser's own client where WebSockets are blocked. */
async function openStream(front: Served, person: Person): Promise<Voice> {
  const messages: Message[] = [];
  const acks = new Map<number, (data: { success: boolean }) => void>();
  const opened = Promise.withResolvers<void>();
  let open = true;
  let nextId = 1;
  const line = eventStreamTransport({
    url: `${front.origin}/api/events`,
    fetch,
    headers: { authorization: `Bearer ${person.token}` },
  })({
    opened: opened.resolve,
    received(envelopes) {
      for (const envelope of envelopes) {
        if ("ack" in envelope) acks.get(envelope.ack)?.(envelope.data);
        else if (envelope.event === "message:new") messages.push(envelope.data);
      }
    },
    closed() {
      open = false;
      opened.reject(new Error("the stream did not open"));
    },
  });
  await opened.promise;
  return {
    async request(event, data) {
      const id = nextId++;
      const ack = Promise.withResolvers<{ success: boolean }>();
      acks.set(id, ack.resolve);
      line.send(
        { id, event, data } as unknown as Parameters<
          typeof line.send
        >[0],
      );
      let answer: { success: boolean } | undefined;
      void ack.promise.then((data) => answer = data);
      await until(`the ack of ${event}`, () => answer !== undefined || !open);
      assert.equal(answer?.success, true, JSON.stringify(answer));
    },
    messages: () => messages,
    isOpen: () => open,
    [Symbol.asyncDispose]: () => Promise.resolve(line.close()),
  };
}

async function until(
  what: string,
  is: () => boolean | Promise<boolean>,
): Promise<void> {
  for (const limit = Date.now() + PATIENCE_MS; !await is();) {
    assert.ok(Date.now() < limit, `not within ${PATIENCE_MS} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
