/** Ids of connections end with the name of their process, so that it is found from any other. */

const NAME_LENGTH = 12;

/** A random name: twelve hexadecimal digits. */
export function newProcessId(): string {
  return crypto.randomUUID().slice(-NAME_LENGTH);
}

/** A random UUID that names a process. */
export function newConnectionId(processId: string): string {
  return crypto.randomUUID().slice(0, -NAME_LENGTH) + processId;
}

/** The process that a connection is open in, if the id is one of a connection. */
export function processOf(connectionId: string): string {
  return connectionId.slice(-NAME_LENGTH);
}
