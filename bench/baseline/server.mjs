/**
 * The design this project was drawn from, built in the usual way: Node, socket.io, pg; one statement
 * a step, a broadcast a message, a roster to everyone on every join and leave.
 */

import { createServer } from "node:http";
import process from "node:process";
import jwt from "jsonwebtoken";
import { Server } from "socket.io";
import { checkAndRecord } from "./rate_limit.mjs";
import { createStore } from "./store.mjs";

const MAX_MISSED = 100;
const MAX_TEXT_LENGTH = 500;
const PRESENCE_TIMEOUT_MS = 30_000;
const SECRET = process.env.JWT_SECRET;

const store = createStore(process.env.DATABASE_URL);
/** Last heartbeat and sockets by user. */
const presence = new Map();

const http = createServer(async (request, response) => {
  const roomId = /^\/api\/rooms\/([0-9a-f-]{36})\/messages/.exec(request.url)
    ?.[1];
  try {
    if (roomId === undefined) return response.writeHead(404).end();
    const token = request.headers.authorization?.replace(/^Bearer /, "");
    const user = jwt.verify(token, SECRET, { algorithms: ["HS256"] });
    if (!await store.isMember(roomId, user.sub)) {
      return response.writeHead(403).end();
    }
    const rows = await store.newestMessages(roomId, 50);
    const messages = rows.reverse().map((row) => messageOf(roomId, row));
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ messages, hasMore: false }));
  } catch {
    response.writeHead(401).end();
  }
});

const io = new Server(http);

io.use((socket, next) => {
  try {
    const claims = jwt.verify(socket.handshake.auth.token, SECRET, {
      algorithms: ["HS256"],
    });
    socket.data.user = { id: claims.sub, username: claims.username };
    next();
  } catch {
    next(new Error("unauthorized"));
  }
});

io.on("connection", (socket) => {
  const { user } = socket.data;
  const here = presence.get(user.id);
  if (here === undefined) {
    presence.set(user.id, {
      lastPing: Date.now(),
      sockets: new Set([socket.id]),
    });
  } else here.sockets.add(socket.id);

  const on = (event, handler) =>
    socket.on(event, async (payload, ack) => {
      try {
        const answer = await handler(payload);
        ack?.(answer);
      } catch (error) {
        ack?.({ success: false, error: error.message });
      }
    });
  on("message:send", (payload) => sendMessage(user, payload));
  on("room:join", (payload) => joinRoom(socket, payload));
  on("room:leave", (payload) => leaveRoom(socket, payload));
  on("rooms:sync", (payload) => syncRooms(socket, payload));
  on("presence:ping", () => {
    presence.get(user.id).lastPing = Date.now();
    return { success: true };
  });
  on("typing:update", ({ roomId, isTyping }) => {
    socket.to(roomId).emit("typing:update", { roomId, user, isTyping });
    return { success: true };
  });

  socket.on("disconnecting", () => {
    const rooms = [...socket.rooms].filter((room) => room !== socket.id);
    const mine = presence.get(user.id);
    mine?.sockets.delete(socket.id);
    if (mine?.sockets.size === 0) presence.delete(user.id);
    for (const roomId of rooms) broadcastRoster(roomId).catch(() => {});
  });
});

async function sendMessage(user, { roomId, text, clientMsgId }) {
  const trimmed = String(text).trim();
  if (trimmed === "" || trimmed.length > MAX_TEXT_LENGTH) {
    return { success: false, error: "Bad message" };
  }
  if (!await store.isMember(roomId, user.id)) {
    return { success: false, error: "Not a member" };
  }
  const mutedUntil = checkAndRecord(user.id, roomId);
  if (mutedUntil !== undefined) {
    return { success: false, error: "Rate limit exceeded.", mutedUntil };
  }
  const known = await store.findDuplicate(roomId, user.id, clientMsgId);
  if (known !== undefined) {
    return { success: true, messageId: known, isDuplicate: true };
  }
  const message = await store.createMessage({
    roomId,
    userId: user.id,
    text: trimmed,
    clientMsgId,
  });
  io.to(roomId).emit("message:new", {
    messageId: message.id,
    roomId,
    text: trimmed,
    createdAt: message.created_at.toISOString(),
    sender: user,
  });
  return { success: true, messageId: message.id };
}

async function joinRoom(socket, { roomId, lastSeenAt }) {
  const { user } = socket.data;
  if (!await store.isMember(roomId, user.id)) {
    return { success: false, error: "Not a member" };
  }
  socket.join(roomId);
  if (lastSeenAt !== undefined) await sendMissed(socket, roomId, lastSeenAt);
  socket.to(roomId).emit("room:system", {
    type: "join",
    roomId,
    user,
    createdAt: new Date().toISOString(),
  });
  await broadcastRoster(roomId);
  return { success: true };
}

async function leaveRoom(socket, { roomId }) {
  socket.leave(roomId);
  socket.to(roomId).emit("room:system", {
    type: "leave",
    roomId,
    user: socket.data.user,
    createdAt: new Date().toISOString(),
  });
  await broadcastRoster(roomId);
  return { success: true };
}

async function syncRooms(socket, { rooms }) {
  const results = [];
  for (const { roomId, lastSeenAt } of rooms) {
    if (!await store.isMember(roomId, socket.data.user.id)) continue;
    socket.join(roomId);
    await sendMissed(socket, roomId, lastSeenAt);
    socket.emit("room:roster", await rosterOf(roomId));
    results.push({ roomId, synced: true });
  }
  for (const { roomId } of results) await broadcastRoster(roomId);
  return { success: true, results };
}

async function sendMissed(socket, roomId, lastSeenAt) {
  const rows = await store.messagesSince(
    roomId,
    new Date(lastSeenAt),
    MAX_MISSED,
  );
  for (const row of rows) socket.emit("message:new", messageOf(roomId, row));
}

async function broadcastRoster(roomId) {
  io.to(roomId).emit("room:roster", await rosterOf(roomId));
}

async function rosterOf(roomId) {
  const members = await store.members(roomId);
  const limit = Date.now() - PRESENCE_TIMEOUT_MS;
  const users = members.map(({ id, username }) => ({
    id,
    username,
    status: (presence.get(id)?.lastPing ?? 0) > limit ? "online" : "offline",
  }));
  return { roomId, users };
}

function messageOf(roomId, row) {
  return {
    messageId: row.id,
    roomId,
    text: row.text,
    createdAt: row.created_at.toISOString(),
    sender: { id: row.user_id, username: row.username },
  };
}

http.listen(Number(process.env.PORT), "127.0.0.1", () => {
  process.stdout.write(`${JSON.stringify({ port: http.address().port })}\n`);
});
process.on("SIGTERM", () => process.exit(0));
