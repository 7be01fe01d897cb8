import { type Context, Hono } from "hono";
import assert from "node:assert/strict";
import { createTimes } from "../../islands/text/times.ts";
import { safePath } from "./login_page.tsx";
import { pageLanguage, pageTheme, pageTimeZone } from "./page_request.ts";

/** What a function makes of a request with these headers. */
async function ask<T>(
  headers: Record<string, string>,
  read: (c: Context) => T,
): Promise<T> {
  let answer: T | undefined;
  const app = new Hono().get("/", (c) => {
    answer = read(c);
    return c.body(null);
  });
  await app.request("/", { headers });
  return answer as T;
}

const language = (headers: Record<string, string>) =>
  ask(headers, (c) => {
    const { lang, locale } = pageLanguage(c);
    return [lang, locale];
  });

Deno.test("pageLanguage() takes the most wanted language there is, with its region", async () => {
  assert.deepEqual(await language({}), ["en", "en"]);
  assert.deepEqual(
    await language({ "accept-language": "de-DE,en-GB;q=0.8,en;q=0.5" }),
    [
      "en",
      "en-GB",
    ],
  );
  assert.deepEqual(
    await language({ "accept-language": "en;q=0.3, tr-TR;q=0.9" }),
    ["tr", "tr-TR"],
  );
});

Deno.test("pageLanguage() gives a reader the clock of their country in any language", async () => {
  for (
    const [accepted, locale] of [
      ["de-DE,de;q=0.9,en-US;q=0.8,en;q=0.7", "en-US-u-hc-h23"],
      ["de,en-US;q=0.7,en;q=0.3", "en-US-u-hc-h23"],
      ["en,en-GB;q=0.9", "en-u-hc-h23"],
      ["en-GB,en-US;q=0.9,en;q=0.8", "en-GB"],
      ["en-US,en;q=0.9", "en-US"],
      ["en-US-u-hc-h23", "en-US-u-hc-h23"],
      ["de-DE,en-US-u-nu-latn;q=0.7", "en-US-u-hc-h23-nu-latn"],
      ["fr-FR", "en-u-hc-h23"],
    ] as const
  ) {
    const [, found] = await language({ "accept-language": accepted });
    assert.equal(found, locale, accepted);
  }
  const { locale } = await ask(
    { "accept-language": "de-DE", cookie: "chatket_lang=en" },
    pageLanguage,
  );
  const { clock } = createTimes(locale, "UTC");
  assert.equal(clock("2026-01-01T14:05:00.000Z"), "14:05");
});

Deno.test("pageLanguage() prefers the cookie and survives nonsense", async () => {
  const accept = { "accept-language": "en-US" };
  assert.deepEqual(await language({ ...accept, cookie: "chatket_lang=tr" }), [
    "tr",
    "tr",
  ]);
  assert.deepEqual(await language({ ...accept, cookie: "chatket_lang=xx" }), [
    "en",
    "en-US",
  ]);
  assert.deepEqual(
    await language({ "accept-language": '*, ;q=x, en_US, "><b>' }),
    ["en", "en"],
  );
});

Deno.test("pageTheme() and pageTimeZone() believe only what they know", async () => {
  assert.equal(await ask({ cookie: "chatket_theme=dark" }, pageTheme), "dark");
  assert.equal(
    await ask({ cookie: "chatket_theme=neon" }, pageTheme),
    "system",
  );
  assert.equal(
    await ask({ cookie: "chatket_tz=Europe/Istanbul" }, pageTimeZone),
    "Europe/Istanbul",
  );
  assert.equal(
    await ask({ cookie: "chatket_tz=Nowhere/Land" }, pageTimeZone),
    "UTC",
  );
});

Deno.test("safePath() lets only paths of this site through", () => {
  for (
    const path of [
      "/",
      "/discover",
      "/rooms/6f1d6c1e-9a0f-4a0e-9f43-0d6f0a1b2c3d",
    ]
  ) {
    assert.equal(safePath(path), path);
  }
  for (
    const path of [
      undefined,
      "",
      "//evil.example",
      "/\\evil.example",
      "https://evil.example",
      "/a?b",
    ]
  ) {
    assert.equal(safePath(path), "/", String(path));
  }
});
