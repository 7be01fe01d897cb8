import { NOTE_TTL_MS } from "../connection/shared_sockets.ts";
import { GroupedCalls } from "../grouped_calls.ts";
import type { MessageWindow, SharedLimitState, SharedState } from "./broker.ts";
import { type AnswerWatch, RedisAwayError } from "./answer_watch.ts";
import type { RedisCommands } from "./redis_connection.ts";
import {
  COUNT_EVENT,
  KEEP_ONLINE,
  MUTE,
  NOTE_COUNT,
  NOTE_ONLINE,
  REFUND_EVENT,
  REPLACE_ONLINE,
  TAKE_MESSAGES,
} from "./redis_scripts.ts";

/** Who is online by a process is forgotten this long after its last sign of life, in milliseconds. */
const ONLINE_TTL_MS = 30_000;

interface Take {
  key: string;
  messageId: string;
  window: MessageWindow;
}

/** What is counted together: the keys of one room, which end with its id. */
function groupOf(key: string): string {
  return key.slice(key.lastIndexOf(":") + 1);
}

/** State shared in Redis. @param prefix begins every key */
export function redisState(
  client: RedisCommands,
  watch: AnswerWatch,
  processId: string,
  isUp: () => boolean,
  prefix: string,
): SharedState {
  /** SHA-1 of each script, as soon as Redis has it. */
  const digests = new Map<string, string>();

  function call<T>(run: () => Promise<T>): Promise<T> {
    if (!isUp()) return Promise.reject(new RedisAwayError("Redis is away"));
    return watch.answer(run());
  }

  /** Runs a script; by its digest when Redis knows it, which is shorter. */
  async function evaluate(
    script: string,
    keys: string[],
    args: string[],
  ): Promise<unknown> {
    const options = { keys, arguments: args };
    const digest = digests.get(script);
    if (digest !== undefined) {
      try {
        return await client.evalSha(digest, options);
      } catch (error) {
        // Redis was restarted and has forgotten its scripts.
        if (!String(error).includes("NOSCRIPT")) throw error;
      }
    }
    const result = await client.eval(script, options);
    digests.set(script, await sha1(script));
    return result;
  }

  const run = (script: string, keys: string[], ...args: unknown[]) =>
    call(() => evaluate(script, keys, args.map(String)));
  const limitKeys = (key: string) => {
    const base = `${prefix}{${groupOf(key)}}${
      key.slice(0, key.lastIndexOf(":"))
    }`;
    return [`${base}:window`, `${base}:mute`];
  };
  const takes = new GroupedCalls<Take, SharedLimitState>(async (_, items) => {
    const { messages, windowMs } = items[0]!.window;
    const answers = await run(
      TAKE_MESSAGES,
      items.flatMap(({ key }) => limitKeys(key)),
      ...[windowMs, messages],
      ...items.map(({ messageId }) => messageId),
    ) as number[];
    return items.map((_, index) => {
      const [state, until, leftMs] = answers.slice(
        3 * index,
        3 * index + 3,
      ) as [
        number,
        number,
        number,
      ];
      if (state === 2) return { kind: "muted", until, leftMs };
      return { kind: state === 1 ? "full" : "free" };
    });
  });
  const onlineKey = (process: string) => `${prefix}{online:${process}}`;

  return {
    takeMessage: (key, messageId, window) =>
      takes.call(groupOf(key), { key, messageId, window }),
    async refundMessage(key, messageId) {
      await call(() => client.zRem(limitKeys(key)[0]!, messageId));
    },
    async mute(key, muteMs) {
      const [until, isNew] = await run(MUTE, limitKeys(key), muteMs) as [
        number,
        number,
      ];
      return { until, isNew: isNew === 1 };
    },
    async countEvent(key, { limit, windowMs }) {
      const wait = await run(
        COUNT_EVENT,
        [`${prefix}{count:${key}}`],
        ...[limit, windowMs],
      ) as number;
      return wait === 0 ? undefined : wait;
    },
    async refundEvent(key) {
      await run(REFUND_EVENT, [`${prefix}{count:${key}}`]);
    },
    async noteOnline({ online, offline }) {
      const changes = [offline.length, ...offline, ...online];
      await run(NOTE_ONLINE, [onlineKey(processId)], ONLINE_TTL_MS, ...changes);
    },
    async replaceOnline(userIds) {
      const args = [ONLINE_TTL_MS, ...userIds];
      await run(REPLACE_ONLINE, [onlineKey(processId)], ...args);
    },
    keepOnline: () =>
      run(KEEP_ONLINE, [onlineKey(processId)], ONLINE_TTL_MS) as Promise<
        number
      >,
    noteSockets: (userId, count, others) =>
      run(
        NOTE_COUNT,
        [processId, ...others].map((process) =>
          `${prefix}{sockets:${userId}}${process}`
        ),
        NOTE_TTL_MS,
        count,
      ) as Promise<number>,
    listOnline: (process) => call(() => client.sMembers(onlineKey(process))),
  };
}

async function sha1(text: string): Promise<string> {
  const bytes = new TextEncoder().encode(text);
  return new Uint8Array(await crypto.subtle.digest("SHA-1", bytes)).toHex();
}
