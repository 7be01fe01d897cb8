/** What a load process is told to do, and what it reports: JSON on standard input and output. */

export interface Person {
  id: string;
  username: string;
  token: string;
}

/** Everything a scenario may need; each uses what concerns it. */
export interface Job {
  scenario: "talk" | "crowd" | "storm" | "page";
  /** Where the server's processes listen; people are spread over them. */
  ports: number[];
  serverPids: number[];
  /** PostgreSQL's first process; undefined where no database is behind the server. */
  postgresPid: number | undefined;
  /** Undefined where no Redis joins the server's processes. */
  redisPid: number | undefined;
  warmupSeconds: number;
  seconds: number;
  people: Person[];
  /** Everyone is a member of the room of their index, modulo the rooms. */
  rooms: string[];
  /** How many people send, the first ones. */
  senders: number;
  /** Messages each sender has on the way at most. */
  inFlight: number;
  /** Messages a second of all senders together; undefined: as fast as acks come. */
  rate?: number | undefined;
  /** Where each room's replay begins. */
  position?: { lastSeq: number } | undefined;
  /** Messages each client of a storm has missed. */
  missed?: number | undefined;
  /** Paths asked for over HTTP. */
  paths?: Record<string, string> | undefined;
}

/** Where the person of an index connects to. */
export function portOf({ ports }: Job, index: number): number {
  return ports[index % ports.length]!;
}

/** Figures by name. Times are in the unit the name ends with. */
export type Metrics = Record<string, number>;
