/** A Redis that is not there: brokers of several processes, joined in memory and on fake time. */

import type {
  Broker,
  BrokerListener,
  Channel,
  SharedState,
  Signal,
} from "../../realtime/cluster/broker.ts";
import { newProcessId } from "../../realtime/cluster/process_id.ts";
import type { Timers } from "../../realtime/timers.ts";

/** A signal needs this long, and so does an answer, unless the test says otherwise; in milliseconds. */
const DELAY_MS = 1;

export class AwayError extends Error {}

/** The broker of one process, and what happened to it. */
export interface FakeBroker extends Broker {
  readonly shared: SharedState;
  /** Whatever was told, also while nobody could be. */
  readonly told: { channel: Channel; signal: Signal }[];
  /** How often each channel was subscribed to and left again, in order: `+room:1`, `-room:1`. */
  readonly subscribes: string[];
  /** What is subscribed to now. */
  readonly channels: ReadonlySet<Channel>;
  /** The process loses its way to the others; again is no error. */
  goDown(): void;
  /** It finds it again. */
  comeUp(): void;
}

export interface Brokers {
  /** A process more. @param isUp whether it reaches the others from the start */
  join(isUp?: boolean): FakeBroker;
  /** How long a signal needs to a process, in milliseconds; undefined: it is lost. */
  delay: (signal: Signal, from: string, to: string) => number | undefined;
  /** True: what is asked of the shared state is done, but the answers do not come in time. */
  isSlow: boolean;
  /** Who is online by each process, as noted. */
  readonly online: Map<string, Set<string>>;
}

export function createBrokers(timers: Timers): Brokers {
  const processes: FakeBroker[] = [];
  /** What each process hears with, and which channels. */
  const ears = new Map<
    FakeBroker,
    { channels: Set<Channel>; hear: (signal: Signal) => void }
  >();
  const online = new Map<string, Set<string>>();
  /** Sockets that were noted, by process and user. */
  const sockets = new Map<string, number>();
  const after = (ms: number) =>
    new Promise<void>((resolve) => void timers.after(ms, resolve));

  const all: Brokers = {
    online,
    isSlow: false,
    delay: () => DELAY_MS,
    join(isUp = true) {
      const processId = newProcessId();
      const channels = new Set<Channel>();
      const subscribed = new Set<Channel>();
      let listener: BrokerListener | undefined;
      const reach = async () => {
        if (!isUp) throw new AwayError();
        await after(DELAY_MS);
        if (all.isSlow || !isUp) throw new AwayError();
      };
      const own = () => {
        const noted = online.get(processId) ?? new Set();
        online.set(processId, noted);
        return noted;
      };
      const note = (change: () => void) => {
        if (isUp) change();
        return reach();
      };
      const away = () => Promise.reject(new AwayError());
      const process: FakeBroker = {
        processId,
        told: [],
        subscribes: [],
        channels,
        get isUp() {
          return isUp;
        },
        listen(its) {
          listener = its;
          if (isUp) its.up();
        },
        subscribe(channel) {
          process.subscribes.push(`+${channel}`);
          channels.add(channel);
          if (!isUp) return undefined;
          return after(DELAY_MS).then(() => void subscribed.add(channel));
        },
        unsubscribe(channel) {
          process.subscribes.push(`-${channel}`);
          channels.delete(channel);
          subscribed.delete(channel);
        },
        async publish(channel, signal) {
          process.told.push({ channel, signal });
          if (!isUp) return 0;
          // Across processes everything is text.
          const text = JSON.stringify(signal);
          const others = processes.filter((other) =>
            other !== process && other.isUp &&
            ears.get(other)!.channels.has(channel)
          );
          for (const other of others) {
            const ms = all.delay(signal, processId, other.processId);
            if (ms === undefined) continue;
            timers.after(ms, () => {
              if (other.isUp) ears.get(other)!.hear(JSON.parse(text));
            });
          }
          await after(DELAY_MS);
          return others.length;
        },
        shared: {
          noteOnline: (changes) =>
            note(() => {
              for (const id of changes.offline) own().delete(id);
              for (const id of changes.online) own().add(id);
            }),
          replaceOnline: (userIds) =>
            note(() => void online.set(processId, new Set(userIds))),
          async keepOnline() {
            await reach();
            return own().size;
          },
          async listOnline(name) {
            if (!isUp) throw new AwayError();
            const noted = [...online.get(name) ?? []];
            await reach();
            return noted;
          },
          noteSockets: (userId, count, others) => {
            if (isUp) sockets.set(`${processId} ${userId}`, count);
            const elsewhere = others.map((other) =>
              sockets.get(`${other} ${userId}`) ?? 0
            );
            return reach().then(() =>
              elsewhere.reduce((sum, one) => sum + one, 0)
            );
          },
          takeMessage: away,
          refundMessage: away,
          mute: away,
          countEvent: away,
          refundEvent: away,
        },
        goDown() {
          if (!isUp) return;
          isUp = false;
          subscribed.clear();
          listener?.down();
        },
        comeUp() {
          if (isUp) return;
          isUp = true;
          for (const channel of channels) subscribed.add(channel);
          listener?.up();
        },
        close: () => Promise.resolve(),
      };
      processes.push(process);
      ears.set(process, {
        channels: subscribed,
        hear: (signal) => listener?.received(signal),
      });
      return process;
    },
  };
  return all;
}
