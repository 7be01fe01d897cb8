/**
 * The least a broadcast server can do on this runtime: no accounts, no database, no limits; parse the
 * message, give it a number, send it to everybody, ack. `plain` sends each message in a frame of its
 * own, `gathered` puts those of a few milliseconds into one, as ChatKet does.
 */

/** As long as ChatKet gathers. */
const GATHER_MS = 4;

/** As many as ChatKet puts into one frame. */
const MAX_FRAME_MESSAGES = 100;

interface Request {
  id: number;
  event: string;
  data: { roomId: string; text: string; clientMsgId: string };
}

const gathers = Deno.args[0] === "gathered";
const followers = new Set<WebSocket>();
const sender = { id: crypto.randomUUID(), username: "somebody" };
let seq = 0;
let flushedAt = -Infinity;
let waiting: { socket: WebSocket; id: number; seq: number; text: string }[] =
  [];

function receive(socket: WebSocket, frame: string): void {
  const { id, event, data }: Request = JSON.parse(frame);
  if (event === "room:join") {
    followers.add(socket);
    socket.send(JSON.stringify({ ack: id, data: { success: true } }));
    return;
  }
  seq++;
  const message = {
    messageId: crypto.randomUUID(),
    roomId: data.roomId,
    seq,
    text: data.text,
    createdAt: new Date().toISOString(),
    clientMsgId: data.clientMsgId,
    sender,
  };
  const text = JSON.stringify({ event: "message:new", data: message });
  waiting.push({ socket, id, seq, text });
  const wait = gathers ? flushedAt + GATHER_MS - performance.now() : 0;
  if (wait <= 0) flush();
  else if (waiting.length === 1) setTimeout(flush, wait);
}

function flush(): void {
  const sent = waiting;
  waiting = [];
  flushedAt = performance.now();
  for (let start = 0; start < sent.length; start += MAX_FRAME_MESSAGES) {
    const texts = sent.slice(start, start + MAX_FRAME_MESSAGES)
      .map(({ text }) => text);
    const frame = texts.length === 1 ? texts[0]! : `[${texts.join(",")}]`;
    for (const follower of followers) follower.send(frame);
  }
  const acks = new Map<WebSocket, string[]>();
  for (const { socket, id, seq } of sent) {
    const ack = JSON.stringify({ ack: id, data: { success: true, seq } });
    const own = acks.get(socket);
    if (own === undefined) acks.set(socket, [ack]);
    else own.push(ack);
  }
  for (const [socket, own] of acks) {
    socket.send(own.length === 1 ? own[0]! : `[${own.join(",")}]`);
  }
}

const PAGE = `<!doctype html><title>Page</title>${"<p>line</p>".repeat(2_000)}`;

// Without a listener the process would be gone before it could write a profile.
Deno.addSignalListener("SIGTERM", () => Deno.exit(0));

Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) =>
    Deno.stdout.writeSync(
      new TextEncoder().encode(`${JSON.stringify({ port })}\n`),
    ),
}, (request) => {
  if (request.headers.get("upgrade") !== "websocket") {
    return new Response(PAGE, { headers: { "content-type": "text/html" } });
  }
  // The request cannot be read any more once it is upgraded.
  const offersProtocol = request.headers.has("sec-websocket-protocol");
  const { socket, response } = Deno.upgradeWebSocket(request);
  if (offersProtocol) {
    response.headers.set("sec-websocket-protocol", "chatket.v1");
  }
  socket.onmessage = ({ data }) => receive(socket, data);
  socket.onclose = () => followers.delete(socket);
  return response;
});
