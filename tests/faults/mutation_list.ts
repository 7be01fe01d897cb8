/** The ways in which the program is broken on purpose. Each is a slip that a reviewer might overlook. */

export interface Mutation {
  readonly name: string;
  /** `find` must stand exactly once in the file. */
  readonly edits: readonly { file: string; find: string; replace: string }[];
  /** Server processes it takes to notice; one by default. */
  readonly machines?: number;
  /** A pattern for the faults that show it; all by default. */
  readonly faults?: string;
}

/** Gives each room's next number by guess: that of the last commit and one more. */
const GUESSED_NUMBERS = {
  file: "realtime/messages/writer.ts",
  find: "/** Has no effect on a message that has been settled. */",
  replace: `const lastSeqs = new Map<string, number>();

function guess(batch: Pending[], now: Date) {
  return batch.flatMap(({ message, sender, settle }) => {
    const last = lastSeqs.get(message.roomId);
    if (last === undefined) return [];
    lastSeqs.set(message.roomId, last + 1);
    return [{ message, sender, seq: last + 1, createdAt: now, settle }];
  });
}

/** Has no effect on a message that has been settled. */`,
};

const REMEMBERED_NUMBERS = {
  file: "realtime/messages/writer.ts",
  find: "      if (isDuplicate) continue;",
  replace: `      if (isDuplicate) continue;
      lastSeqs.set(message.roomId, row.seq);`,
};

export const MUTATIONS: readonly Mutation[] = [
  {
    name: "acked before the commit",
    edits: [GUESSED_NUMBERS, REMEMBERED_NUMBERS, {
      file: "realtime/messages/writer.ts",
      find: "const stored = await store(messages, new Date(clock()));",
      replace: `const now = new Date(clock());
        for (const { message, seq, createdAt, settle } of guess(batch, now)) {
          settle({ kind: "stored", seq, createdAt, messageId: message.id, isDuplicate: false });
        }
        const stored = await store(messages, now);`,
    }],
  },
  {
    name: "published before the commit",
    edits: [GUESSED_NUMBERS, REMEMBERED_NUMBERS, {
      file: "realtime/messages/writer.ts",
      find: "const stored = await store(messages, new Date(clock()));",
      replace: `const now = new Date(clock());
        for (const message of guess(batch, now)) {
          this.#options.onStored(message.message.roomId, [message]);
        }
        const stored = await store(messages, now);`,
    }],
  },
  {
    name: "acked before the commit is on disk",
    edits: [{
      file: "db/engine/postgres.ts",
      find: "    keepAlive: true,",
      replace: `    keepAlive: true,
    options: "-c synchronous_commit=off",`,
    }],
  },
  {
    name: "a sync says that it is complete after a hundred messages",
    edits: [{
      file: "realtime/rooms/replay.ts",
      find: "isCut: missed.length > MAX_REPLAY,",
      replace: "isCut: false,",
    }],
  },
  {
    name: "a sync drops the hundred-and-first message",
    edits: [{
      file: "realtime/rooms/replay.ts",
      find: "const replayed = missed.slice(0, MAX_REPLAY);",
      replace: `const replayed = missed.slice(0, MAX_REPLAY);
  if (missed.length > MAX_REPLAY) replayed.splice(-1, 1, missed[MAX_REPLAY]!);`,
    }],
  },
  {
    name: "live messages during a catch-up are not held",
    edits: [{
      file: "realtime/rooms/room_feed.ts",
      find: "subscription.held.push(...messages);",
      replace: "void messages;",
    }],
  },
  {
    name: "a write whose answer was lost is not looked for",
    edits: [{
      file: "realtime/parts.ts",
      find: "onUncertain: (roomId) => hub.feed(roomId)?.mend(),",
      replace: "onUncertain: () => {},",
    }, {
      file: "realtime/messages/message_handlers.ts",
      find: "if (isDuplicate) hub.feed(post.roomId)?.expect(seq);",
      replace: "",
    }],
  },
  {
    name: "repeats are not looked up, and no index refuses them",
    edits: [{
      file: "db/messages.ts",
      find: "and known.client_msg_id = g.client_msg_id",
      replace: "and known.client_msg_id = g.client_msg_id and false",
    }, {
      file: "db/migrations/0001_initial.ts",
      find: `      unique (room_id, seq),
      unique (user_id, room_id, client_msg_id)`,
      replace: "      unique (room_id, seq)",
    }],
  },
  {
    name: "a repeat spends a number",
    edits: [{
      file: "db/messages.ts",
      find: "from given where known_id is null group by room_id",
      replace: "from given group by room_id",
    }],
  },
  {
    name: "numbers are given outside of the commit",
    edits: [{
      file: "db/messages.ts",
      find: "  const records = messages.map(toRecord);",
      replace: `  const records = messages.map(toRecord);
  for (const message of messages) {
    const [known] = await findPosts(db, message.userId, [message]);
    if (known!.stored !== undefined) continue;
    await sql\`update rooms set last_seq = last_seq + 1 where id = \${message.roomId}
      and exists (select from memberships where room_id = id and user_id = \${message.userId})\`
      .execute(db);
  }`,
    }, {
      file: "db/messages.ts",
      find: "set last_seq = last_seq + n.added,",
      replace: "set last_seq = last_seq,",
    }],
  },
  {
    name: "the client moves its position over a gap",
    edits: [{
      file: "islands/client/room_store.ts",
      find: "      this.#held.set(seq, message);",
      replace: `      this.#position = Math.max(this.#position, seq - 1);
      this.#held.set(seq, message);`,
    }],
  },
  {
    name: "the client takes a failed sync for done",
    edits: [{
      file: "islands/client/room_sync.ts",
      find: `      size.rooms = Math.ceil(size.rooms / 4);
      return false;`,
      replace: "      return true;",
    }],
  },
  {
    name: "the outbox forgets what was on a lost line",
    edits: [{
      file: "islands/client/outbox.ts",
      find: `    if (result.code === "connection_closed") return this.pause();`,
      replace: `    if (result.code === "connection_closed") {
      for (const entry of this.entries(roomId)) this.remove(entry.clientMsgId);
      return this.pause();
    }`,
    }],
  },
  {
    name: "a message that another machine could not tell is never looked for",
    machines: 3,
    faults: "told to the other machines|in quiet",
    edits: [{
      file: "realtime/cluster/reconciler.ts",
      find: "hub.feed(id)?.expect(last_seq);",
      replace: "hub.feed(id) && last_seq;",
    }],
  },
  {
    name: "other machines' messages are not looked for while Redis is away",
    machines: 3,
    faults: "in quiet",
    edits: [{
      file: "realtime/cluster/reconciler.ts",
      find: "if (isDone()) return;",
      replace: "if (isDone() || broker.isUp === false) return;",
    }],
  },
  {
    name: "a message of another machine does not wait for those before it",
    machines: 3,
    faults: "Redis",
    edits: [{
      file: "realtime/rooms/room_feed.ts",
      find: "if (newest !== undefined && seq > newest + 1) return true;",
      replace:
        "if (!this.#options.isShared && newest !== undefined && seq > newest + 1) return true;",
    }],
  },
];
