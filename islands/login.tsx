/** Entry of the login page. */

import { hydrate } from "preact";
import { createAuthApi } from "./client/api.ts";
import { LoginForm } from "./components/login_form.tsx";

const root = document.getElementById("login");
if (root) {
  const page = JSON.parse(root.dataset.props ?? "{}");
  const api = createAuthApi({ base: "/api", fetch: fetch.bind(window) });
  hydrate(<LoginForm page={page} api={api} />, root);
}
