/**
 * Entry that the server puts before the chat's own when a user has signed out in this browser and no
 * page has removed yet what they left: the page for signing in does, where its script runs.
 */

import { openStorage } from "./client/browser.ts";
import { forgetWhoLeft } from "./client/auth/sign_out.ts";

forgetWhoLeft(
  document,
  openStorage(() => localStorage),
  openStorage(() => sessionStorage),
  self.caches,
);
