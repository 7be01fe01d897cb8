/** The table's rows: which figure of which entry stands where. */

/** An entry's key and a figure's name. */
export type Cell = readonly [key: string, metric: string];

export interface Row {
  readonly label: string;
  readonly ours?: Cell;
  /** The same on another checkout, where one is measured. */
  readonly against?: Cell;
  readonly limit?: Cell;
  /** What the limit is, where the heading does not say. */
  readonly limitName?: string;
  /** Divides the figure; 1 by default. */
  readonly unit?: number;
  readonly better?: "more" | "less";
}

export interface Section {
  readonly title: string;
  readonly rows: readonly Row[];
}

const KB = 1_000;

/** A figure of a scenario on ChatKet, on another checkout, and on a bare server when one is given. */
function row(
  scenario: number,
  label: string,
  metric: string,
  rest: Partial<Row> & { bare?: string } = {},
): Row {
  const { bare, ...given } = rest;
  return {
    label,
    ours: [`${scenario} chatket`, metric],
    against: [`${scenario} against`, metric],
    ...bare === undefined ? {} : { limit: [`${scenario} ${bare}`, metric] },
    ...given,
  };
}

const talkRows = (scenario: number, bare: string): Row[] => [
  row(scenario, "acked messages/s", "ackedPerSecond", {
    bare,
    limitName: "broadcast, no database",
    better: "more",
  }),
  {
    label: "the same against single-row commits/s",
    ours: [`${scenario} chatket`, "ackedPerSecond"],
    limit: ["commits", "pgbenchManyPerSecond"],
    limitName: "pgbench",
    better: "more",
  },
  row(scenario, "ack p50, ms", "ackP50Ms", { bare, better: "less" }),
  row(scenario, "ack p99, ms", "ackP99Ms", { bare, better: "less" }),
  row(scenario, "server CPU a message, µs", "serverMicrosPerMessage", {
    bare,
    better: "less",
  }),
  row(scenario, "PostgreSQL CPU a message, µs", "postgresMicrosPerMessage", {
    better: "less",
  }),
  row(scenario, "cores: server", "serverCores", { bare }),
  row(scenario, "cores: load", "loadCores", { bare }),
  row(scenario, "deliveries lost", "lost"),
];

/** Processes joined by Redis against one that is alone. */
function joinedRows(scenario: number): Row[] {
  return ([1, 2, 4] as const).flatMap((count) => {
    const figure = (
      label: string,
      metric: string,
      better?: "more" | "less",
    ): Row => ({
      label: `${count} joined: ${label}`,
      ours: [`${scenario} joined ${count}`, metric],
      limit: [`${scenario} alone`, metric],
      limitName: "one alone",
      ...better && { better },
    });
    return [
      figure("acked messages/s", "ackedPerSecond", "more"),
      figure("ack p50, ms", "ackP50Ms", "less"),
      figure("server CPU a message, µs", "serverMicrosPerMessage", "less"),
      figure("server CPU a delivery, µs", "serverMicrosPerDelivery", "less"),
      figure(
        "PostgreSQL CPU a message, µs",
        "postgresMicrosPerMessage",
        "less",
      ),
      figure("Redis CPU a message, µs", "redisMicrosPerMessage"),
      figure("deliveries lost", "lost"),
    ];
  });
}

export const SECTIONS: readonly Section[] = [
  {
    title: "The database alone: commits of one row",
    rows: [
      {
        label: "pgbench, 1 and 20 clients, commits/s",
        ours: ["commits", "pgbenchOnePerSecond"],
        limit: ["commits", "pgbenchManyPerSecond"],
        limitName: "20",
      },
      {
        label: "postgres.js under Deno, 1 and 20 connections, commits/s",
        ours: ["commits", "pgOnePerSecond"],
        limit: ["commits", "pgManyPerSecond"],
        limitName: "20",
      },
      {
        label: "postgres.js under Deno, 1 and 20 connections, p50 ms",
        ours: ["commits", "pgOneP50Ms"],
        limit: ["commits", "pgManyP50Ms"],
        limitName: "20",
      },
    ],
  },
  {
    title: "1. Room of 20, each sends when the last ack has come",
    rows: talkRows(1, "plain"),
  },
  {
    title: "2. The same, 50 messages of each on their way",
    rows: talkRows(2, "gathered"),
  },
  {
    title: "3. Room of 200 at saturation: 20 send, 50 each on their way",
    rows: [
      row(3, "acked messages/s", "ackedPerSecond", { better: "more" }),
      row(3, "delivered messages/s", "deliveredPerSecond", {
        bare: "plain",
        limitName: "a frame a message",
        better: "more",
      }),
      row(3, "the same against gathered frames", "deliveredPerSecond", {
        bare: "gathered",
        limitName: "no database",
        better: "more",
      }),
      row(3, "server CPU a delivery, µs", "serverMicrosPerDelivery", {
        bare: "gathered at our rate",
        limitName: "gathered, at our rate",
        better: "less",
      }),
      row(3, "the same against a frame a message", "serverMicrosPerDelivery", {
        bare: "plain",
        better: "less",
      }),
      row(3, "messages a frame", "messagesPerFrame", {
        bare: "gathered at our rate",
      }),
      row(3, "ack p50, ms", "ackP50Ms", { better: "less" }),
      row(3, "ack p99, ms", "ackP99Ms", { better: "less" }),
      row(3, "cores: server", "serverCores", { bare: "gathered" }),
      row(3, "cores: load", "loadCores", { bare: "gathered" }),
      row(3, "cut off as too slow", "cutOff", { bare: "gathered" }),
      row(3, "deliveries lost", "lost", { bare: "gathered" }),
    ],
  },
  {
    title: "4. 100 messages/s into 500 readers",
    rows: [
      row(4, "delivery p50, ms", "deliveryP50Ms", {
        bare: "plain",
        better: "less",
      }),
      row(4, "delivery p99, ms", "deliveryP99Ms", {
        bare: "plain",
        better: "less",
      }),
      row(4, "acked messages/s", "ackedPerSecond", { bare: "plain" }),
      row(4, "server CPU a delivery, µs", "serverMicrosPerDelivery", {
        bare: "plain",
        better: "less",
      }),
      row(4, "cores: server", "serverCores", { bare: "plain" }),
      row(4, "cores: load", "loadCores", { bare: "plain" }),
      row(4, "deliveries lost", "lost", { bare: "plain" }),
    ],
  },
  {
    title: "5. 5,000 idle connections",
    rows: [
      row(5, "server memory a connection, kB", "idleBytesPerConnection", {
        bare: "plain",
        unit: KB,
        better: "less",
      }),
      row(5, "connections/s, with authentication", "connectsPerSecond", {
        bare: "plain",
        limitName: "no authentication",
        better: "more",
      }),
    ],
  },
  {
    title: "6. Everybody enters one room",
    rows: [
      row(6, "500 people: joins/s", "joinsPerSecond", { better: "more" }),
      row(
        6,
        "500 people: bytes to clients a join, kB",
        "receivedBytesPerJoin",
        {
          unit: KB,
          better: "less",
        },
      ),
      row(6, "500 people: server CPU a join, µs", "serverMicrosPerJoin", {
        better: "less",
      }),
      {
        label: "5,000 people: joins/s",
        ours: ["6 chatket 5000", "joinsPerSecond"],
      },
      {
        label: "5,000 people: bytes to clients a join, kB",
        ours: ["6 chatket 5000", "receivedBytesPerJoin"],
        unit: KB,
      },
      {
        label: "5,000 people: server CPU a join, µs",
        ours: ["6 chatket 5000", "serverMicrosPerJoin"],
      },
      {
        label: "5,000 people: server memory a connection, kB",
        ours: ["6 chatket 5000", "joinedBytesPerConnection"],
        unit: KB,
      },
    ],
  },
  {
    title:
      "7. 1,000 clients in 20 rooms reconnect at once, each has missed 50 messages",
    rows: [
      row(7, "until everybody has everything, s", "recoveredSeconds", {
        better: "less",
      }),
      row(7, "messages replayed/s", "replayedPerSecond", { better: "more" }),
      row(7, "server CPU a client, µs", "serverMicrosPerClient", {
        better: "less",
      }),
      row(7, "statements a client", "statementsPerPerson", { better: "less" }),
      row(7, "messages missing", "lost"),
    ],
  },
  {
    title: "8. Over HTTP, one request after another",
    rows: [
      row(8, "chat page with 50 messages, p50 ms", "pageP50Ms", {
        bare: "plain",
        limitName: "fixed page",
        better: "less",
      }),
      row(8, "chat page, kB", "pageBytes", { unit: KB, better: "less" }),
      row(8, "chat page compressed, kB", "pageGzipBytes", {
        unit: KB,
        better: "less",
      }),
      row(8, "history of 50 messages (JSON), p50 ms", "historyP50Ms", {
        better: "less",
      }),
      row(8, "history, server CPU, µs", "historyServerMicros", {
        better: "less",
      }),
    ],
  },
  {
    title:
      "9. Several processes and a Redis; one room of 20, each sends when the last ack has come",
    rows: joinedRows(9),
  },
  {
    title: "10. The same, 50 messages of each on their way",
    rows: joinedRows(10),
  },
];
