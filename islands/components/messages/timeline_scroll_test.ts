import assert from "node:assert/strict";
import { message } from "../../client/fakes.ts";
import { scrolled } from "./timeline_scroll.ts";

/** Messages in the page at once. */
const ROWS = 150;

/** A reader at the lower edge of the first rows of many, and what draws the moves. */
function setUp() {
  const messages = Array.from({ length: 500 }, (_, n) => message(n + 1));
  const moves: (number | undefined)[] = [];
  const view = {
    room: { store: { messages, hasNewer: true }, reading: 1 },
    log: { scrollTop: -200, scrollHeight: 6_000, clientHeight: 600 },
    get shown() {
      const start = view.room.reading - 1;
      return [start, start + ROWS];
    },
    ui: { client: {} },
    isAtEnd: false,
    isFarFromEnd: true,
    isMoving: false,
    showFrom(seq: number) {
      moves.push(seq);
      view.room.reading = seq;
      view.isMoving = true;
    },
  };
  return { view, moves, scroll: () => scrolled(view as never) };
}

Deno.test("a log that is scrolled near its edge moves on once, however often it is scrolled before that is drawn", () => {
  const { view, moves, scroll } = setUp();
  for (let event = 0; event < 3; event++) scroll();
  assert.deepEqual(moves, [51]);
  view.isMoving = false;
  scroll();
  assert.deepEqual(moves, [51, 101]);
});
