/** Browsers that refuse, lack or do not know something: the page comes to life all the same, or says why not. */

import assert from "node:assert/strict";
import { useTestApp } from "../helpers/app.ts";
import { createRoom } from "../helpers/people.ts";
import { ChatPage, journey } from "./chat_page.ts";

const app = useTestApp({ RATE_LIMIT_MESSAGES: "100" });

/** What is done to the browser before the page's script runs. */
const REFUSALS: Record<string, (userId: string) => void> = {
  "no storage": () => {
    Object.defineProperty(globalThis, "localStorage", { value: null });
  },
  "forbidden storage": () => {
    Object.defineProperty(globalThis, "localStorage", {
      get() {
        throw new DOMException("denied", "SecurityError");
      },
    });
  },
  "broken storage": () => {
    for (const name of ["getItem", "setItem", "removeItem", "key"] as const) {
      Storage.prototype[name] = () => {
        throw new Error("corrupt");
      };
    }
  },
  "full storage": () => {
    Storage.prototype.setItem = () => {
      throw new DOMException("full", "QuotaExceededError");
    };
  },
  "storage with what others left": (userId) => {
    const roomId = location.pathname.split("/").at(-1);
    for (const key of ["chatket_positions", "beatair_last_seen"]) {
      localStorage.setItem(key, "[null");
    }
    localStorage.setItem(`chatket_draft:${userId}:${roomId}`, "{}");
    for (const left of [null, 7, { order: 1 }, { order: 1, roomId }]) {
      localStorage.setItem(
        `chatket_outbox:${userId}:${Math.random()}`,
        JSON.stringify(left),
      );
    }
  },
  "refused locks": () => {
    LockManager.prototype.request = () =>
      Promise.reject(new DOMException("denied", "SecurityError"));
  },
  "refused cookies": () => {
    Object.defineProperty(document, "cookie", {
      set() {
        throw new DOMException("denied", "SecurityError");
      },
    });
  },
  "no service worker": () => {
    ServiceWorkerContainer.prototype.register = () =>
      Promise.reject(new DOMException("denied", "SecurityError"));
  },
};

Deno.test("a browser that does not know its time zone shows UTC", async () => {
  await journey("no time zone", app, async (visit) => {
    const { chat, person, complaints } = await visit("ada_zone");
    const room = await createRoom(person);
    await chat.page.goto(`${app.origin}/rooms/${room.id}`);
    assert.equal(
      await chat.page.evaluate(() =>
        Intl.DateTimeFormat().resolvedOptions().timeZone
      ),
      "Etc/Unknown",
    );
    await chat.live();
    await chat.say("when?");
    await chat.sees("when?");
    const time = chat.log.locator("time[title]").first();
    const utc = new Intl.DateTimeFormat("en-GB", {
      timeZone: "UTC",
      timeStyle: "short",
    }).format(new Date(await time.getAttribute("datetime") ?? ""));
    assert.equal(await time.textContent(), utc);
    assert.deepEqual(complaints, []);
  }, { TZ: "Foo/Bar" });
});

Deno.test("whatever a browser refuses or has stored, the page goes live and sends", async () => {
  await journey("refusals", app, async (visit) => {
    const { person, context } = await visit("ada_refuse");
    const room = await createRoom(person);
    for (const [name, refuse] of Object.entries(REFUSALS)) {
      const page = await context.newPage();
      const chat = new ChatPage(page, app.origin);
      await page.addInitScript(refuse, person.user.id);
      await chat.open(`/rooms/${room.id}`);
      await chat.say(name);
      await chat.sees(name);
      await page.close();
    }
  });
});

Deno.test("a full cache keeps no page from going live", async () => {
  await journey("full cache", app, async (visit) => {
    const { chat, person, context } = await visit("ada_cache");
    const room = await createRoom(person);
    await chat.open(`/rooms/${room.id}`);
    await chat.page.evaluate(() => navigator.serviceWorker.ready);
    const devtools = await context.newCDPSession(chat.page);
    await devtools.send("Storage.overrideQuotaForOrigin", {
      origin: app.origin,
      quotaSize: 1,
    });
    await chat.open(`/rooms/${room.id}`);
    await chat.say("stored elsewhere");
    await chat.sees("stored elsewhere");
  });
});

Deno.test("a page that cannot start says so and why, and its forms work", async () => {
  await journey("start failure", app, async (visit) => {
    const { chat: { page }, person } = await visit("ada_dead");
    const room = await createRoom(person);
    const reason = page.getByRole("alert").filter({
      hasText: "This page could not be made live",
    });
    await page.addInitScript(() => {
      Object.defineProperty(Intl, "PluralRules", {
        get() {
          throw new Error("no plurals here");
        },
      });
    });
    await page.goto(`${app.origin}/rooms/${room.id}`);
    await reason.filter({ hasText: "no plurals here" }).waitFor();
    await page.getByRole("textbox", { name: "Message", exact: true })
      .fill("by form");
    await page.getByRole("button", { name: "Send" }).click();
    await page.locator(".bubble", { hasText: "by form" }).waitFor();
  });
});

Deno.test("part of the script that does not arrive is named, with a way to load it again", async () => {
  await journey("lost script", app, async (visit) => {
    const { chat: { page } } = await visit("ada_lost");
    await page.route(/build\/extras/, (route) => route.abort());
    await page.goto(`${app.origin}/`);
    await page.getByRole("alert").filter({ hasText: "could not be made live" })
      .waitFor();
    await page.getByRole("link", { name: "Reload" }).waitFor();
  });
});

Deno.test("the page for signing in says that cookies are refused", async () => {
  await journey("no cookies", app, async (visit) => {
    const { chat: { page }, context } = await visit("ada_plain");
    await context.clearCookies();
    await page.addInitScript(() => {
      Object.defineProperty(navigator, "cookieEnabled", { value: false });
    });
    await page.goto(`${app.origin}/login`);
    await page.getByText("Your browser refuses cookies").waitFor();
  });
});
