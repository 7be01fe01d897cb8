/** Writes log lines without anyone waiting for them, and without an error that reaches who logs. */

/** Waiting to be written at most, in UTF-16 code units; lines above it are dropped. */
const MAX_WAITING_LENGTH = 1024 * 1024;

const LINE_BREAK = 0x0a;

export interface LogWriter {
  /** Takes one line without its line break. Never throws and never waits. */
  readonly write: (line: string) => void;
  /** Lines that could not be written, or came while too many waited. */
  readonly dropped: () => number;
  /** Resolves when every line so far has been written or dropped. A reader that stalls delays it for ever. */
  readonly flush: () => Promise<void>;
}

/**
 * A writer for a file, a pipe or a terminal: what waits is written in one piece, piece after piece.
 *
 * A synchronous write would be simpler, but to a pipe whose reader stalls it stops the process, and to
 * one whose reader has ended, or to a full disk, it throws at whoever logs.
 *
 * @param out.write takes some of the bytes and resolves with how many
 */
export function createLogWriter(
  out: { write(bytes: Uint8Array): Promise<number> },
): LogWriter {
  let waiting: string[] = [];
  let waitingLength = 0;
  let dropped = 0;
  /** Whether the last piece broke off within a line. */
  let isTorn = false;
  let working: Promise<void> | undefined;

  async function work(): Promise<void> {
    while (waiting.length > 0) {
      const piece = `${waiting.join("\n")}\n`;
      waiting = [];
      waitingLength = 0;
      await writePiece(new TextEncoder().encode(piece));
    }
    working = undefined;
  }

  async function writePiece(bytes: Uint8Array): Promise<void> {
    let written = 0;
    try {
      if (isTorn) await out.write(new Uint8Array([LINE_BREAK]));
      isTorn = false;
      while (written < bytes.length) {
        written += await out.write(bytes.subarray(written));
      }
    } catch {
      // Nowhere is left to say it, but in the metrics.
      for (const byte of bytes.subarray(written)) {
        if (byte === LINE_BREAK) dropped++;
      }
      if (written > 0) isTorn = bytes[written - 1] !== LINE_BREAK;
    }
  }

  return {
    write(line) {
      if (waitingLength + line.length > MAX_WAITING_LENGTH) {
        dropped++;
        return;
      }
      waiting.push(line);
      waitingLength += line.length + 1;
      working ??= work();
    },
    dropped: () => dropped,
    flush: async () => await working,
  };
}
