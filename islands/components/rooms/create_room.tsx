/**
 * The form for a new room: drawn by the server alone, like the account's menu. What happens when it is
 * sent, `new_room.ts` knows.
 */

import type { UserRef } from "../../../realtime/protocol/protocol.ts";
import type { Strings } from "../../strings/en.ts";
import type { Translate } from "../../text/translate.ts";
import { Icon } from "../icon.tsx";

export function CreateRoom(
  { t, user, problem }: {
    t: Translate;
    /** For whom the page is drawn. */
    user: UserRef;
    problem: keyof Strings | undefined;
  },
) {
  return (
    <form
      class="create"
      aria-labelledby="create-room"
      method="post"
      action={`/rooms?user=${user.id}`}
      noValidate
    >
      <label id="create-room" for="room-name">{t("createRoom")}</label>
      <div class="create-box">
        <input
          id="room-name"
          name="name"
          aria-label={t("roomName")}
          placeholder={t("roomName")}
          autocomplete="off"
          maxLength={80}
          dir="auto"
          aria-describedby="room-name-problem"
          aria-invalid={`${problem !== undefined}`}
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
        {problem && t(problem)}
      </p>
    </form>
  );
}
