/** Keeps what is read where it is while the log changes its size: a turned phone, its keyboard, zoom. */

/** Nearer to the end than this the log follows the end by itself, in pixels. */
const END_PX = 2;

const kept = new WeakSet<Element>();

/** Begins to watch a log; once is enough. */
export function keepPlace(log: Element): void {
  if (kept.has(log)) return;
  kept.add(log);
  let row: Element | undefined;
  let offset = 0;
  let size = "";
  const sizeNow = () => `${log.clientWidth} ${log.clientHeight}`;
  const place = (element: Element) =>
    element.getBoundingClientRect().top - log.getBoundingClientRect().top;
  const note = () => {
    // A change of size scrolls, too, and may tell of it first: that is not where reading was.
    if (size !== "" && size !== sizeNow()) return;
    size = sizeNow();
    row = [...log.querySelectorAll(".message")].find((element) =>
      place(element) + element.clientHeight > 0
    );
    if (row) offset = place(row);
  };
  note();
  log.addEventListener("scroll", note);
  new ResizeObserver(() => {
    if (row?.isConnected && log.scrollTop < -END_PX) {
      log.scrollTop += place(row) - offset;
    }
    size = sizeNow();
  }).observe(log);
}
