/** What the parts of the chat page have in common. */

import { Component } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { ChatClient } from "../client/chat_client.ts";
import type { Times } from "../text/times.ts";
import type { Translate } from "../text/translate.ts";
import type { Extras } from "./later.tsx";

/** What every part needs: the client, the texts, the times. The same object while these are the same. */
export interface Ui {
  readonly client: ChatClient;
  readonly t: Translate;
  readonly times: Times;
  /** Goes to a path of the chat without loading a page. */
  readonly navigate: (path: string) => void;
  /** False while the drawing must equal the server's: before the browser's own state is shown. */
  readonly isHydrated: boolean;
  /** What is not needed to show a room. */
  readonly extras: Extras;
}

/** A component that is drawn again only when a property is another one. */
export abstract class PureComponent<P extends object> extends Component<P> {
  override shouldComponentUpdate(next: Readonly<P>): boolean {
    const keys = Object.keys(next) as (keyof P)[];
    return keys.some((key) => next[key] !== this.props[key]);
  }
}

/** Whether what is dragged or pasted has files; a picture is one. */
export function carriesFiles(data: DataTransfer | null): boolean | undefined {
  return data?.types.includes("Files");
}

/** Draws once a second while something counts down. */
export function useTick(isActive: boolean): void {
  const [, setTicks] = useState(0);
  useEffect(() => {
    if (!isActive) return;
    const timer = setInterval(() => setTicks((ticks) => ticks + 1), 1000);
    return () => clearInterval(timer);
  }, [isActive]);
}
