/** Entry of the login page. */

import { hydrate } from "preact";
import { createApi } from "./client/api.ts";
import { lenientLocks, openStorage } from "./client/browser.ts";
import { forgetWhoLeft } from "./client/auth/sign_out.ts";
import { LoginForm } from "./components/auth/login_form.tsx";
import type { LoginPageProps } from "./page_props.ts";

forgetWhoLeft(
  document,
  openStorage(() => localStorage),
  openStorage(() => sessionStorage),
  self.caches,
);
const root = document.getElementById("login");
if (root) {
  const page: LoginPageProps = JSON.parse(root.dataset.props ?? "{}");
  const api = createApi({ base: "/api", fetch: fetch.bind(window) });
  hydrate(<LoginForm page={page} api={api} />, root);
  // Where cookies may not be read this throws: then nobody has been here before.
  if (/(^|; )(__Host-)?chatket_returning=/.test(document.cookie)) {
    comeBack(page.next);
  }
}

/** A browser that stayed away longer than its token lived is signed in again, if its session lives. */
async function comeBack(next: string): Promise<void> {
  // One tab after another, as in client/renewal.ts.
  const trade = () => fetch("/api/auth/refresh", { method: "POST" });
  const { ok } = await (lenientLocks(navigator.locks)
    ?.request("chatket_refresh", trade) ?? trade());
  if (ok) location.replace(next);
}
