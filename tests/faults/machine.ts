/** One server process of a fault run, and the proxies on its ways to the database and to Redis. */

import { freePort } from "../helpers/system.ts";
import { FaultProxy } from "./proxy.ts";
import { ServerProcess } from "./server_process.ts";

export interface MachineOptions {
  /** For reports. */
  readonly name: string;
  /** Of PostgreSQL; undefined: the embedded database. */
  readonly databasePort: number | undefined;
  /** Of Redis; undefined: this process is the whole chat. */
  readonly redisPort: number | undefined;
  readonly env: Readonly<Record<string, string>>;
  /** Told of what no fault excuses. */
  readonly alarm: (text: string) => void;
}

export class Machine {
  readonly name: string;
  readonly port: number;
  readonly server: ServerProcess;
  readonly databaseProxy: FaultProxy | undefined;
  readonly redisProxy: FaultProxy | undefined;

  private constructor(
    parts: Pick<
      Machine,
      "name" | "port" | "server" | "databaseProxy" | "redisProxy"
    >,
  ) {
    this.name = parts.name;
    this.port = parts.port;
    this.server = parts.server;
    this.databaseProxy = parts.databaseProxy;
    this.redisProxy = parts.redisProxy;
  }

  /** Makes the proxies. The server is started by its user. */
  static async create(options: MachineOptions): Promise<Machine> {
    const { name, databasePort, redisPort, env, alarm } = options;
    const listen = async (port: number | undefined) =>
      port === undefined ? undefined : await FaultProxy.listen(port);
    const databaseProxy = await listen(databasePort);
    const redisProxy = await listen(redisPort);
    const port = freePort();
    const server = new ServerProcess({
      port,
      alarm: (text) => alarm(`${name}: ${text}`),
      env: {
        ...databaseProxy && {
          DATABASE_URL:
            `postgres://postgres@127.0.0.1:${databaseProxy.port}/postgres`,
        },
        ...redisProxy && { REDIS_URL: `redis://127.0.0.1:${redisProxy.port}` },
        ...env,
      },
    });
    return new Machine({ name, port, server, databaseProxy, redisProxy });
  }

  /** The server without any proxy in front of it. */
  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async close(): Promise<void> {
    await this.server.kill();
    await this.databaseProxy?.close();
    await this.redisProxy?.close();
  }
}
