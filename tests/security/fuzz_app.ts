/** A server that lets a fuzz run through: limits raised, and every complaint in its log kept. */

import { startTestApp, type TestApp } from "../helpers/app.ts";

/** Complaints that are an answer to what was sent, and no fault. */
const EXPECTED = /a used refresh token came back/;

/** @returns the app and what its log complains of, warnings included */
export async function startFuzzApp(): Promise<
  { app: TestApp; complaints: string[] }
> {
  const complaints: string[] = [];
  const app = await startTestApp({
    LOG_LEVEL: "warn",
    RATE_LIMIT_MESSAGES: "1000000",
    FRAME_LIMIT_PER_SECOND: "1000000",
    FRAME_LIMIT_BURST: "1000000",
    MAX_SOCKETS_PER_USER: "1000",
  }, {
    start: {
      writeLog: (line) => {
        if (!EXPECTED.test(line)) complaints.push(line);
      },
    },
  });
  return { app, complaints };
}
