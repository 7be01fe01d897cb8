/**
 * The small world that the documents' examples speak of: one user, one room, one message. Tests build
 * that world and send the examples to the server as they stand.
 */
export const EXAMPLE = {
  user: { id: "0d9c8b7a-6f5e-4d3c-8b2a-1f0e9d8c7b6a", username: "alice" },
  roomId: "6f1d6c1e-9a0f-4a0e-9f43-0d6f0a1b2c3d",
  roomName: "General",
  messageId: "3b0a7d52-2b1c-4d84-8f0e-5f7c9f1f6a11",
  clientMsgId: "c5b6d3a0-1f4e-4f2b-a1c7-9f6f1d2e3b4c",
  connectionId: "9b2f7c4e-5d1a-4c3b-8e6f-2a1d0c9b8a7f",
  epoch: "2a8f0c4d-7b1e-4f3a-9c6d-5e4f3a2b1c0d",
  /** `seq` of the newest message. */
  lastSeq: 42,
  /** `rev` of the newest change. */
  lastRev: 7,
  emoji: "👍",
  text: "Hello!",
  time: "2026-01-31T12:00:00.000Z",
} as const;
