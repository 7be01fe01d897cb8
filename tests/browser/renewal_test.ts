/** Short tokens: the browser renews them by itself, and a session that was ended stays ended. */

import { ChatPage } from "./chat_page.ts";
import assert from "node:assert/strict";
import type { Browser } from "playwright-core";
import { startTestApp, type TestApp } from "../helpers/app.ts";
import { launchBrowser, withArtifacts } from "../helpers/browser.ts";
import { signIn } from "../helpers/people.ts";
import { until } from "../helpers/rooms.ts";
import { createSkippingTime } from "../helpers/skipping_time.ts";

/** Opens a browser of one's own and signs in by the page. */
async function withSignedIn(
  name: string,
  app: TestApp,
  run: (context: Awaited<ReturnType<Browser["newContext"]>>) => Promise<void>,
): Promise<void> {
  const browser = await launchBrowser();
  try {
    const context = await browser.newContext();
    await withArtifacts(name, () => [context], async () => {
      const page = await context.newPage();
      await page.goto(`${app.origin}/login`);
      await page.getByRole("textbox", { name: "Username" }).fill("vera");
      await page.getByRole("button", { name: "Continue" }).click();
      await page.getByRole("button", { name: "Sign in" }).click();
      await page.waitForURL(`${app.origin}/`);
      await run(context);
    });
  } finally {
    await browser.close();
  }
}

Deno.test("two tabs outlive their tokens without a word, also after having been away", async () => {
  const time = createSkippingTime();
  await using app = await startTestApp({ JWT_EXPIRES_IN: "4s" }, {
    start: time,
  });
  await withSignedIn("renewal", app, async (context) => {
    const [first] = context.pages();
    const second = await context.newPage();
    await second.goto(app.origin);
    const renewals: number[] = [];
    context.on("response", (answer) => {
      if (answer.url().endsWith("/api/auth/refresh")) {
        renewals.push(answer.status());
      }
    });
    // Three lives of a token: every socket has been closed with 4401 more than once.
    await until("they renew", () => renewals.length >= 4, 60_000);
    assert.ok(renewals.every((status) => status === 200), String(renewals));
    for (const tab of [first!, second]) {
      assert.equal(new URL(tab.url()).pathname, "/");
      assert.equal(await tab.getByText("session has ended").count(), 0);
    }

    await first!.goto("about:blank");
    await second.goto("about:blank");
    await time.skip(5_000);
    await first!.goto(`${app.origin}/discover`);
    await first!.waitForURL(`${app.origin}/discover`);
  });
});

Deno.test("a browser whose session was ended elsewhere is signed out and does not come back", async () => {
  await using app = await startTestApp();
  await withSignedIn("ended", app, async (context) => {
    const [page] = context.pages();
    const elsewhere = await signIn(app, "vera");
    const ended = await elsewhere.fetch("/api/auth/logout-everywhere", {
      method: "POST",
    });
    assert.equal(ended.status, 204);
    await page!.getByText("Your session has ended").first().waitFor();
    await page!.goto(app.origin);
    await page!.waitForURL(/\/login/);
    await page!.getByRole("textbox", { name: "Username" }).waitFor();
    const names = (await context.cookies()).map(({ name }) => name);
    assert.ok(!names.includes("chatket_returning"), String(names));
  });
});

Deno.test("“Log out” ends the session of a browser whose token is over", async () => {
  await using app = await startTestApp();
  await withSignedIn("late_log_out", app, async (context) => {
    const [page] = context.pages();
    const refresh = (await context.cookies()).find(({ name }) =>
      name === "chatket_refresh"
    );
    await context.clearCookies({ name: "chatket_session" });
    await new ChatPage(page!, app.origin).logOut();
    await page!.waitForURL(/\/login/);
    const answer = await fetch(`${app.origin}/api/auth/refresh`, {
      method: "POST",
      headers: { cookie: `chatket_refresh=${refresh!.value}` },
    });
    await answer.body?.cancel();
    assert.equal(answer.status, 401);
  });
});
