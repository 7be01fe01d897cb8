/** The login page, as both its steps show it. */

import type { Context } from "hono";
import { LoginForm } from "../../islands/components/auth/login_form.tsx";
import type { LoginPageProps } from "../../islands/page_props.ts";
import type { RouteDeps } from "../deps.ts";
import { renderDocument } from "./page_document.tsx";
import { pageLanguage, pageTheme } from "./page_request.ts";

/** The login page. */
export function renderLogin(
  { manifest, codeMail }: Pick<RouteDeps, "manifest" | "codeMail">,
  c: Context,
  step: Pick<LoginPageProps, "next" | "username" | "code" | "problem">,
): string {
  const props: LoginPageProps = {
    ...pageLanguage(c),
    ...step,
    asksEmail: codeMail !== undefined,
  };
  return renderDocument(manifest, {
    title: props.strings.signInTitle,
    lang: props.lang,
    theme: pageTheme(c),
    entry: "login",
    props,
    body: <LoginForm page={props} />,
  });
}

/** A path of this site to go to after signing in; everything else leads to the start page. */
export function safePath(path: string | undefined): string {
  return path !== undefined && /^\/(?![/\\])[\w/-]*$/.test(path) ? path : "/";
}
