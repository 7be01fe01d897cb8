/**
 * What the realtime side counts, in Prometheus' text format. Each app has a registry of its own.
 *
 * Counted on a message's path: once a batch, once a frame of a room, once an answer; never once a
 * subscriber. What can be looked up (connections, queues, the pool) is read on each scrape.
 */

import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { PoolCounts } from "../db/engine/postgres_pool.ts";
import type { CloseCode } from "./protocol/close_codes.ts";
import type { Message, RefusalCode } from "./protocol/protocol.ts";

/** From a millisecond, which is what the clock can tell, to the writer's patience; in seconds. */
// deno-fmt-ignore
const LATENCY_BUCKETS = [
  0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

/** Up to the writer's largest batch. */
const BATCH_BUCKETS = [1, 2, 5, 10, 20, 50, 100, 200, 500];

/** What is read when the metrics are asked for. */
export interface MetricSources {
  /** Open connections, and how many bytes wait for each. */
  readonly waitingBytes: () => Iterable<number>;
  /** Rooms with at least one subscriber. */
  readonly rooms: () => number;
  /** Connections to the database server; undefined for the embedded one. */
  readonly databasePool: () => PoolCounts | undefined;
  /** Whether the broker works; undefined when this is the only process. */
  readonly brokerUp: () => boolean | undefined;
}

export type Metrics = ReturnType<typeof createMetrics>;

/** @param clock milliseconds since 1970 */
export function createMetrics(clock: () => number) {
  const registry = new Registry();
  const registers = [registry];
  const counter = (name: string, help: string) =>
    new Counter({ name, help, registers });
  const histogram = (name: string, help: string, buckets: number[]) =>
    new Histogram({ name, help, buckets, registers });

  const messages = counter(
    "chatket_messages_total",
    "Messages stored and published",
  );
  const deliveries = counter(
    "chatket_deliveries_total",
    "Messages handed to subscribers, each subscriber counted",
  );
  const delivery = histogram(
    "chatket_delivery_seconds",
    "From the beginning of a message's write until every subscriber's queue has it",
    LATENCY_BUCKETS,
  );
  const writes = histogram(
    "chatket_write_seconds",
    "Time of a write, which stores a batch of messages",
    LATENCY_BUCKETS,
  );
  const batches = histogram(
    "chatket_write_batch_messages",
    "Messages in a write",
    BATCH_BUCKETS,
  );
  const acks = counter("chatket_acks_total", "Events acked as done");
  const refusals = new Counter({
    name: "chatket_refusals_total",
    help: "Events refused, by code",
    labelNames: ["code"],
    registers,
  });
  const opened = counter(
    "chatket_connections_opened_total",
    "Connections that were opened",
  );
  const closes = new Counter({
    name: "chatket_closes_total",
    help:
      "Connections that ended, by close code; 4408 read too slowly, lost: the client or the line went away",
    labelNames: ["code"],
    registers,
  });
  const recoveries = counter(
    "chatket_recoveries_total",
    "Rooms that a connection was brought up to date in",
  );
  const replayed = counter(
    "chatket_replayed_messages_total",
    "Missed messages sent by recoveries",
  );
  const histories = counter(
    "chatket_history_changes_total",
    "Times the database turned out to have another history than clients knew",
  );
  const startedAt = clock();

  return {
    /** A statement has stored a batch. */
    written(size: number, milliseconds: number): void {
      batches.observe(size);
      writes.observe(milliseconds / 1000);
    },
    published(count: number): void {
      messages.inc(count);
    },
    /** A frame of messages is in the queues of all subscribers that are live. */
    delivered(sent: readonly Message[], subscribers: number): void {
      deliveries.inc(sent.length * subscribers);
      const oldest = sent[0];
      if (oldest === undefined) return;
      const waited = clock() - Date.parse(oldest.createdAt);
      delivery.observe(Math.max(0, waited) / 1000);
    },
    /** An event was acked as done, or refused. */
    answered(refusal: RefusalCode | undefined): void {
      if (refusal === undefined) acks.inc();
      else refusals.inc({ code: refusal });
    },
    opened(): void {
      opened.inc();
    },
    closed(code: CloseCode | undefined): void {
      closes.inc({ code: code ?? "lost" });
    },
    historyChanged(): void {
      histories.inc();
    },
    recovered(messages: number): void {
      recoveries.inc();
      replayed.inc(messages);
    },

    /** Says where it is read how many log lines were dropped. Once. */
    watchLog(dropped: () => number): void {
      new Counter({
        name: "chatket_log_lines_dropped_total",
        help: "Log lines that could not be written",
        registers,
        collect() {
          this.reset();
          this.inc(dropped());
        },
      });
    },
    /** Says where the gauges are read. Once. */
    watch(sources: MetricSources): void {
      registerGauges(registry, sources, startedAt);
    },
    /** Everything, as Prometheus reads it. */
    text: (): Promise<string> => registry.metrics(),
    contentType: registry.contentType as string,
  };
}

function registerGauges(
  registry: Registry,
  { waitingBytes, rooms, databasePool, brokerUp }: MetricSources,
  startedAt: number,
): void {
  const registers = [registry];
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  const queues = () => [...waitingBytes()];
  gauge(
    "chatket_connections",
    "Open sockets and event streams",
    () => queues().length,
  );
  gauge(
    "chatket_rooms",
    "Rooms with at least one subscriber in this process",
    rooms,
  );
  gauge(
    "chatket_queue_bytes",
    "Bytes that wait for clients to read",
    () => queues().reduce((sum, bytes) => sum + bytes, 0),
  );
  gauge(
    "chatket_queue_bytes_max",
    "Bytes that wait for the slowest client",
    () => queues().reduce((most, bytes) => Math.max(most, bytes), 0),
  );
  gauge(
    "process_resident_memory_bytes",
    "Resident memory",
    () => Deno.memoryUsage().rss,
  );
  gauge(
    "process_start_time_seconds",
    "When the process began to count, in seconds since 1970",
    () => startedAt / 1000,
  );
  if (brokerUp() !== undefined) {
    gauge(
      "chatket_backbone_up",
      "Whether signals pass between processes: 1, or 0 while Redis is away",
      () => brokerUp() ? 1 : 0,
    );
  }
  new Gauge({
    name: "chatket_database_connections",
    help:
      "Connections of the pool, by state; waiting: queries without a connection. None: embedded",
    labelNames: ["state"],
    registers,
    collect() {
      for (const [state, count] of Object.entries(databasePool() ?? {})) {
        this.set({ state }, count);
      }
    },
  });
}
