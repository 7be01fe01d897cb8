/** The rooms, some at a time, as soon as the broker is subscribed to them. At once where nothing is in flight. */
export async function* whenSubscribed<
  R extends { subscribed: Promise<void> | undefined },
>(subscribing: readonly R[]): AsyncGenerator<R[]> {
  let ready = subscribing.filter(({ subscribed }) => subscribed === undefined);
  let late = subscribing.length - ready.length;
  let wake = () => {};
  for (const room of subscribing) {
    void room.subscribed?.then(() => {
      late--;
      ready.push(room);
      wake();
    });
  }
  while (late > 0 || ready.length > 0) {
    if (ready.length === 0) {
      await new Promise<void>((resolve) => wake = resolve);
    }
    const rooms = ready;
    ready = [];
    yield rooms;
  }
}
