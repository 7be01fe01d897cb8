/** What the browser tells the page, passed on to the client. */

import type { ChatClient } from "./client/chat_client.ts";
import { DEVICE_USER_KEY } from "./client/storage/device.ts";
import type { FallbackTransport } from "./client/connection/fallback_transport.ts";
import type { Surroundings } from "./components/ui.ts";

/** How often the page looks at the clock: today becomes yesterday. In milliseconds. */
const MINUTE_MS = 60_000;

/** Listens to network, storage, focus and visibility for the life of the page. */
export function listenToPage(
  client: ChatClient,
  transport: FallbackTransport,
  { looks, minute }: Surroundings,
): void {
  addEventListener("online", () => {
    transport.forgetFailures();
    client.connection.wake();
  });
  addEventListener("offline", () => client.connection.networkLost());
  addEventListener("focus", () => {
    // Another device may have joined or left rooms.
    client.rooms.refresh();
    looks.value++;
  });
  const save = () => client.save();
  addEventListener("pagehide", save);
  const onStorage = ({ key, newValue }: StorageEvent) => {
    if (key !== DEVICE_USER_KEY || newValue !== null) {
      return client.storageChanged(key);
    }
    // The user has signed out in another tab: what is removed now is not to be put back.
    removeEventListener("storage", onStorage);
    removeEventListener("pagehide", save);
    client.discard();
    location.reload();
  };
  addEventListener("storage", onStorage);
  addEventListener(
    "pageshow",
    ({ persisted }) => persisted && client.connection.wake(),
  );
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") client.connection.wake();
    else client.save();
    looks.value++;
  });
  setInterval(() => {
    minute.value = Date.now();
  }, MINUTE_MS);
}
