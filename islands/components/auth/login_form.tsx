import { useEffect, useRef, useState } from "preact/hooks";
import type { Api, ApiFailure } from "../../client/api.ts";
import { requestCode, verifyCode } from "../../client/auth/sign_in.ts";
import type { LoginPageProps } from "../../page_props.ts";
import type { Strings } from "../../strings/en.ts";
import { createTranslate } from "../../text/translate.ts";
import { Logo } from "../logo.tsx";

/** Signing in: a name, then the code for it. Works as plain forms, too. */
export function LoginForm(
  { page, api }: { page: LoginPageProps; api?: Api | undefined },
) {
  const t = createTranslate(page.strings, page.locale);
  const [username, setUsername] = useState(page.username);
  const [code, setCode] = useState(page.code);
  const [problem, setProblem] = useState(page.problem);
  const [isBusy, setBusy] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const email = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.focus(), [username]);
  useEffect(() => {
    if (!navigator.cookieEnabled) setProblem("cookiesRefused");
    // What `keepStep` has kept.
    const { username, code } = history.state ?? {};
    if (typeof username !== "string") return;
    setUsername(username);
    setCode(code);
  }, []);

  const submit =
    (run: (value: string) => Promise<ApiFailure | undefined>) =>
    async (
      event: SubmitEvent & { currentTarget: HTMLFormElement },
    ) => {
      event.preventDefault();
      if (isBusy) return;
      setBusy(true);
      const failure = await run(input.current?.value.trim() ?? "");
      setBusy(false);
      setProblem(failure && (PROBLEMS[failure.code] ?? "failed"));
      if (failure) input.current?.focus();
    };
  const askForCode = submit(async (name) => {
    const address = email.current?.value.trim() || undefined;
    const result = api && await requestCode(api, name, address);
    if (!result?.ok) return result;
    setCode(result.data.code);
    setUsername(name);
    keepStep({ username: name, code: result.data.code });
  });
  const checkCode = submit(async (entered) => {
    const result = api && await verifyCode(api, username ?? "", entered);
    if (!result?.ok) return result;
    keepStep(null);
    location.assign(page.next);
  });
  const isFirstStep = username === undefined;
  return (
    <main class="login">
      <div class="login-brand">
        <Logo />
        <p class="wordmark">ChatKet</p>
        <p>{t("appTagline")}</p>
      </div>
      <div class="card">
        <h1>{t("signInTitle")}</h1>
        {isFirstStep
          ? (
            <form
              key="name"
              method="post"
              action="/login"
              noValidate
              onSubmit={askForCode}
            >
              <p>{t("signInLead")}</p>
              <label for="username">{t("username")}</label>
              <input
                ref={input}
                id="username"
                name="username"
                autocomplete="username"
                autocapitalize="none"
                spellcheck={false}
                maxLength={40}
                aria-describedby="login-hint login-problem"
                aria-invalid={`${problem !== undefined}`}
              />
              <input type="hidden" name="next" value={page.next} />
              <p id="login-hint" class="hint">{t("usernameHint")}</p>
              {page.asksEmail && (
                <>
                  <label for="email">{t("email")}</label>
                  <input
                    ref={email}
                    id="email"
                    name="email"
                    type="email"
                    autocomplete="email"
                    maxLength={254}
                    aria-describedby="email-hint"
                  />
                  <p id="email-hint" class="hint">{t("emailHint")}</p>
                </>
              )}
              <Problem
                text={problem &&
                  t(
                    problem !== "badCode"
                      ? problem
                      : page.asksEmail
                      ? "badUsernameOrEmail"
                      : "badUsername",
                  )}
              />
              <button type="submit">{t("continue")}</button>
            </form>
          )
          : (
            <form
              key="code"
              method="post"
              action="/login"
              noValidate
              onSubmit={checkCode}
            >
              <p>{t("codeLead", { name: username })}</p>
              <p class="code-note">
                {code === undefined
                  ? t(page.asksEmail ? "codeMailed" : "codeInLog")
                  : (
                    <>
                      {t("codeShown")} <b>{code}</b>
                    </>
                  )}
              </p>
              <label for="code">{t("code")}</label>
              <input
                ref={input}
                id="code"
                name="code"
                class="code-input"
                inputMode="numeric"
                autocomplete="one-time-code"
                maxLength={6}
                defaultValue={code}
                aria-describedby="login-problem"
                aria-invalid={`${problem !== undefined}`}
              />
              <input type="hidden" name="username" value={username} />
              <input type="hidden" name="next" value={page.next} />
              <Problem text={problem && t(problem)} />
              <button type="submit">{t("signIn")}</button>
              <a
                class="button quiet"
                href="/login"
                onClick={(event) => {
                  event.preventDefault();
                  setProblem(undefined);
                  setUsername(undefined);
                  keepStep(null);
                }}
              >
                {t("otherName")}
              </a>
            </form>
          )}
      </div>
    </main>
  );
}

/** Keeps the second step in the tab's history, so that a reload stays there. */
function keepStep(
  step: { username: string; code: string | undefined } | null,
): void {
  history.replaceState(step, "");
}

function Problem({ text }: { text: string | undefined }) {
  return <p id="login-problem" class="problem" role="alert">{text}</p>;
}

const PROBLEMS: Record<string, keyof Strings> = {
  validation_failed: "badCode",
  invalid_code: "badCode",
  too_many_requests: "tooManyTries",
  unreachable: "unreachable",
};
