import { useState } from "preact/hooks";
import type { Strings } from "../strings/en.ts";
import { Icon } from "./icon.tsx";
import type { Ui } from "./ui.ts";

/** Makes a room and goes there. */
export function CreateRoom(
  { ui, problem }: { ui: Ui; problem: keyof Strings | undefined },
) {
  const { t, extras } = ui;
  const [refusal, setRefusal] = useState(problem);
  const create = async (
    event: SubmitEvent & { currentTarget: HTMLFormElement },
  ) => {
    event.preventDefault();
    const form = event.currentTarget;
    await extras.load();
    setRefusal(await extras.module?.createRoom(ui, form));
  };
  return (
    <form
      class="create"
      aria-label={t("createRoom")}
      method="post"
      action="/rooms"
      noValidate
      onSubmit={create}
    >
      <label for="room-name">{t("roomName")}</label>
      <div class="create-box">
        <input
          id="room-name"
          name="name"
          autocomplete="off"
          maxLength={80}
          dir="auto"
          aria-describedby="room-name-problem"
          aria-invalid={`${refusal !== undefined}`}
        />
        <button
          type="submit"
          class="icon-button"
          aria-label={t("createRoom")}
        >
          <Icon name="plus" />
        </button>
      </div>
      <p id="room-name-problem" class="problem" role="alert">
        {refusal && t(refusal)}
      </p>
    </form>
  );
}
