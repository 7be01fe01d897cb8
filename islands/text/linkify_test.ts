import assert from "node:assert/strict";
import { linkify as linkifyWith } from "./linkify.ts";
import { shownAddress } from "./shown_address.ts";

const linkify = (text: string) => linkifyWith(text, shownAddress);

const links = (text: string) => linkify(text).flatMap(({ href }) => href ?? []);

/** What is shown of the first link. */
const shown = (text: string) =>
  linkify(text).find(({ href }) => href !== undefined)?.text;

Deno.test("linkify() makes links of http, https and mailto only", () => {
  assert.deepEqual(links("see https://a.example/x and HTTP://b.example"), [
    "https://a.example/x",
    "HTTP://b.example",
  ]);
  assert.deepEqual(links("mailto:ada@example.org"), ["mailto:ada@example.org"]);
  assert.deepEqual(
    links("javascript:alert(1) data:text/html,x ftp://www.c.example xhttp://d"),
    [],
  );
});

Deno.test("linkify() makes links of www. and of e-mail addresses", () => {
  assert.deepEqual(links("www.example.com, (www.b.example/x) www. www.x"), [
    "https://www.example.com",
    "https://www.b.example/x",
  ]);
  assert.deepEqual(links("_ada.l@example.org_, 发到ada@example.org吧"), [
    "mailto:ada.l@example.org",
    "mailto:ada@example.org",
  ]);
  assert.deepEqual(links("@ada@chat.example a@b x@y.z1 a@.example.org"), []);
});

Deno.test("linkify() leaves sentence ends and unbalanced brackets outside", () => {
  assert.deepEqual(
    links("(https://a.example/x_(y)), https://b.example/?q=1."),
    [
      "https://a.example/x_(y)",
      "https://b.example/?q=1",
    ],
  );
  assert.deepEqual(links("https://"), []);
});

Deno.test("linkify() ends a link before the marks of every script, and what follows them", () => {
  const marks = [..."。、，！？：；）」』】》؟،؛۔।։።〉”»`"];
  const taken = marks.filter((mark) =>
    links(`https://a.example/x${mark}y z`)[0] !== "https://a.example/x"
  );
  assert.deepEqual(taken, []);
  assert.deepEqual(links("「https://a.example」、https://b.example。"), [
    "https://a.example",
    "https://b.example",
  ]);
  // Names of pages hold these.
  for (
    const address of [
      "https://a.example/スター・ウォーズ",
      "https://a.example/Bose–Einstein",
      "https://a.example/L’Équipe",
    ]
  ) {
    assert.deepEqual(links(address), [address]);
  }
});

Deno.test("linkify() sees a link within marks of emphasis and behind other scripts", () => {
  for (const text of ["_%_", "*%*", "~%~", "`%`", "**%**", "見て%"]) {
    const address = "https://a.example/x";
    assert.deepEqual(links(text.replace("%", address)), [address], text);
  }
});

Deno.test("linkify() shows characters that are not seen, or turn others round, encoded", () => {
  assert.equal(
    shown("https://a.example/\u202egpj.exe"),
    "https://a.example/%E2%80%AEgpj.exe",
  );
  assert.equal(
    shown("https://a.example/x\u200b\u{e0100}y"),
    "https://a.example/x%E2%80%8B%F3%A0%84%80y",
  );
  assert.equal(shown("https://ex\u200bample.com/x"), "https://example.com/x");
  // Behind the address they are no part of it.
  assert.deepEqual(links("https://a.example/x\u200b."), [
    "https://a.example/x",
  ]);
});

Deno.test("linkify() shows a host in punycode when its letters are mixed or look like others", () => {
  for (
    const [address, expected] of [
      ["https://аррӏе.com", "https://xn--80ak6aa92e.com"],
      ["www.аррӏе.com", "www.xn--80ak6aa92e.com"],
      ["https:///аррӏе.com", "https:///xn--80ak6aa92e.com"],
      ["https://gооgle.com/a", "https://xn--ggle-55da.com/a"],
      ["https://wıki.example", "https://xn--wki-jua.example"],
      ["https://a.example⁄b.c", "https://a.xn--exampleb-k03d.c"],
      ["https://ｅxample.com/", "https://example.com/"],
      ["https://οο.gr", "https://xn--0xaa.gr"],
    ] as const
  ) {
    assert.equal(shown(address), expected, address);
  }
});

Deno.test("linkify() shows a host as it is written when it can be taken for no other", () => {
  for (
    const address of [
      "https://münchen.de/ä",
      "https://例え.jp/",
      "https://пример.рф",
      "https://ελλάδα.gr",
      "https://한국.example",
      "https://User@A.Example:8080/x",
      "http://[::1]:3000/",
      "https://xn--80ak6aa92e.com",
    ]
  ) {
    assert.equal(shown(address), address);
  }
});

Deno.test("linkify() gives back the whole text, in order", () => {
  for (
    const text of [
      "",
      "plain",
      "https://a.example",
      "a https://b.example, c\nhttp://d",
      "ada@example.org。www.example.com！",
    ]
  ) {
    assert.equal(linkify(text).map((part) => part.text).join(""), text);
  }
});

Deno.test("linkify() takes linear time on hostile text", () => {
  const started = performance.now();
  linkify("https://" + ")".repeat(50_000) + "http://".repeat(20_000));
  linkify("a_".repeat(20_000) + "a@".repeat(20_000) + "b.".repeat(20_000));
  linkify("www.a ".repeat(10_000) + "https://a/" + "\u200b".repeat(20_000));
  // In quadratic time it would take minutes.
  assert.ok(performance.now() - started < 10_000);
});
