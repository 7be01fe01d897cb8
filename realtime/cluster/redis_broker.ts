import { errorFields, type Log } from "../../log.ts";
import type { Timers } from "../timers.ts";
import type { Broker, BrokerListener, Channel } from "./broker.ts";
import { newProcessId } from "./process_id.ts";
import { AnswerWatch, RedisAwayError } from "./answer_watch.ts";
import { createRedisConnection } from "./redis_connection.ts";
import { isRefusal, RedisRefusedError } from "./redis_refusal.ts";
import { redisState } from "./redis_state.ts";
import { parseSignal } from "./signals.ts";

/** At the start the process waits this long for Redis before it serves without, in milliseconds. */
const FIRST_CONNECT_MS = 2_000;

/** Redis is asked for a sign of life this often, in milliseconds. */
const PROBE_INTERVAL_MS = 1_000;

export interface RedisBrokerOptions {
  /** `redis://` or `rediss://`, of a node of a cluster `redis+cluster://`; with name and password where needed. */
  url: string;
  /** Sets this chat apart from others on the same Redis: in every key and channel. */
  namespace: string;
  clock: () => number;
  timers: Timers;
  log: Log;
  /** Stands in for the way to Redis in tests. */
  createConnection?: typeof createRedisConnection;
}

/**
 * A broker over Redis, by sharded publish and subscribe: in a cluster each channel is carried by one
 * node alone. Does not wait for a Redis that is away: the chat serves without it, and joins the
 * others when it comes.
 *
 * @throws {RedisRefusedError} when it is there and refuses us
 */
export async function openRedisBroker(
  {
    url,
    namespace,
    clock,
    timers,
    log,
    createConnection = createRedisConnection,
  }: RedisBrokerOptions,
): Promise<Broker> {
  const prefix = `chatket:${namespace}:`;
  const processId = newProcessId();
  const connection = createConnection(
    url,
    { ready: () => void open(), away: down, failed: fail },
  );
  const { commands, subscriber } = connection;
  const watch = new AnswerWatch(clock, timers);
  // Many new channels at once take long: that does not mean that Redis stands still.
  const subscribeWatch = new AnswerWatch(clock, timers);
  /** The channels wanted, and those Redis is subscribed to. */
  const channels = new Set<Channel>();
  const subscribed = new Set<Channel>();
  /** Subscriptions in flight. */
  const settling = new Map<Channel, Promise<void>>();
  /** Channels whose subscription failed. */
  const failed = new Set<Channel>();
  let listener: BrokerListener | undefined;
  let isUp = false;
  let isClosed = false;
  let opening = 0;
  let lastError: unknown;
  /** How the first attempt to connect ended, when Redis refuses us. */
  const refusedAtStart = Promise.withResolvers<Error | undefined>();

  const hear = (text: string) => {
    // Redis gives a process its own words back, too.
    if (text.startsWith(processId)) return;
    try {
      const signal = parseSignal(text.slice(processId.length));
      if (signal !== undefined) listener?.received(signal);
    } catch (error) {
      log.error("a signal could not be handled", errorFields(error));
    }
  };
  const isSettled = (channel: Channel) =>
    channels.has(channel) === subscribed.has(channel);
  /** Subscribes to a channel or unsubscribes, in turn: the client confuses a change with one that is on its way. */
  async function settle(channel: Channel): Promise<void> {
    failed.delete(channel);
    try {
      while (!isSettled(channel)) {
        if (channels.has(channel)) {
          await subscriber.sSubscribe(prefix + channel, hear);
          subscribed.add(channel);
        } else {
          await subscriber.sUnsubscribe(prefix + channel, hear);
          subscribed.delete(channel);
        }
      }
    } catch (error) {
      failed.add(channel);
      throw error;
    } finally {
      settling.delete(channel);
    }
  }
  /** Resolves when Redis is subscribed to a wanted channel, or not to an unwanted one. */
  function settled(channel: Channel): Promise<void> {
    let promise = settling.get(channel);
    if (promise === undefined) {
      promise = Promise.resolve().then(() => settle(channel));
      settling.set(channel, promise);
    }
    return promise;
  }
  /** The same, but leaves a channel for later when the node of the cluster that has it is away. */
  async function settledIfThere(channel: Channel): Promise<void> {
    try {
      await settled(channel);
    } catch (error) {
      if (!(error instanceof RedisAwayError)) throw error;
    }
  }
  const unsettled = () =>
    [...channels.union(subscribed)].filter((channel) =>
      !isSettled(channel) || settling.has(channel)
    );
  const logFailure = (error: unknown) =>
    log.debug("a channel could not be changed", errorFields(error));
  /** Warns in the log, unless Redis just went away. */
  const refused = (error: unknown) => {
    if (isWorking()) {
      log.warn("Redis refuses what is asked of it", errorFields(error));
    }
  };
  const isWorking = () => connection.isReady && !watch.isLate;

  /**
   * Up is: both connections stand, Redis answers, and every channel is subscribed to. Of a cluster one node is
   * enough, and its channels: those of the others are late until then, like those of a node
   * that goes away later.
   */
  async function open(): Promise<void> {
    const attempt = ++opening;
    if (isUp || isClosed || !isWorking()) return;
    try {
      // The client restores its own subscriptions. Meanwhile there may be more.
      let left = unsettled();
      while (left.length > 0) {
        await Promise.all(left.map(settledIfThere));
        left = unsettled().filter((channel) => !failed.has(channel));
      }
    } catch (error) {
      // When the connection went away again it says so when it is back.
      return refused(error);
    }
    if (attempt !== opening || isClosed || !isWorking()) return;
    isUp = true;
    log.info("Redis is there: signals pass between processes");
    listener?.up();
  }
  function down(): void {
    opening++;
    if (!isUp) return;
    isUp = false;
    logAway();
    listener?.down();
  }
  function fail(error: unknown): void {
    lastError = error;
    if (isRefusal(error)) refusedAtStart.resolve(error);
    log.debug("redis", errorFields(error));
  }
  function logAway(): void {
    // An operator must see why: the address, the password, the certificate.
    const fields = lastError === undefined ? {} : errorFields(lastError);
    log.warn("Redis is away: this process serves on its own", fields);
  }
  /** Why Redis does not do what a process wants most, or undefined. One that wants a password connects without. */
  async function tryOut(): Promise<Error | undefined> {
    if (isClosed) return undefined;
    try {
      await watch.answer(commands.sPublish(`${prefix}probe`, processId));
    } catch (error) {
      if (isRefusal(error)) return error;
    }
    return undefined;
  }
  /** Finds a Redis that stands still, and one that has come back to life. */
  async function probe(): Promise<void> {
    let isAnswered = false;
    if (connection.isReady) {
      try {
        await watch.answer(connection.probe(`${prefix}probe`));
        isAnswered = true;
      } catch (error) {
        fail(error);
      }
    }
    if (isClosed) return;
    if (!isAnswered || !isWorking()) down();
    else if (!isUp) await open();
    // Not awaited: it must not keep this from finding that Redis stands still.
    else Promise.all([...failed].map(settledIfThere)).catch(refused);
    stopProbing = timers.after(PROBE_INTERVAL_MS, probe);
  }

  const connected = connection.connect().then(open, () => {});
  const late = Promise.withResolvers<undefined>();
  const stopWaiting = timers.after(
    FIRST_CONNECT_MS,
    () => late.resolve(undefined),
  );
  const refusal = await Promise.race([
    connected.then(tryOut),
    late.promise,
    refusedAtStart.promise,
  ]);
  stopWaiting();
  if (refusal) {
    isClosed = true;
    isUp = false;
    watch.stop();
    subscribeWatch.stop();
    connection.destroy();
    throw new RedisRefusedError(refusal.message);
  }
  if (!isUp) logAway();
  let stopProbing = timers.after(PROBE_INTERVAL_MS, probe);

  return {
    processId,
    get isUp() {
      return isUp;
    },
    listen(its) {
      listener = its;
      if (isUp) its.up();
    },
    subscribe(channel) {
      channels.add(channel);
      if (!isUp) return undefined;
      // When Redis has just gone away the channel is subscribed to as soon as it is back.
      return subscribeWatch.answer(settled(channel)).catch(logFailure);
    },
    unsubscribe(channel) {
      channels.delete(channel);
      if (isUp) settled(channel).catch(logFailure);
    },
    async publish(channel, signal) {
      if (!isUp) return 0;
      try {
        return await commands.sPublish(
          prefix + channel,
          processId + JSON.stringify(signal),
        );
      } catch (error) {
        log.debug("a signal was not told", errorFields(error));
        return 0;
      }
    },
    shared: redisState(commands, watch, processId, () => isUp, prefix),
    close() {
      isClosed = true;
      isUp = false;
      stopProbing();
      watch.stop();
      subscribeWatch.stop();
      connection.destroy();
      return Promise.resolve();
    },
  };
}
