import type { EditorRED } from "node-red";
import { allMerchants } from "./head";
import type { Inbox, StoredEvent } from "./inbox";
import { titleOf } from "./words";

declare const RED: EditorRED;

const remembered = "radaro-inbox-merchant";

/** How many times a merchant is looked for that a deploy has stopped, about once a second. */
const patience = 5;

/** The merchants whose inbox is on, and which of them is chosen: one, or all. */
export class Merchants {
  all: Inbox[] = [];
  /** `""` where there is none. */
  chosen = "";
  /** How many times in a row the chosen one was not there. */
  #missed = 0;

  /** The inboxes of those that are chosen, or of one. */
  shown(only?: string): Inbox[] {
    const id = only ?? this.chosen;
    return id === allMerchants ? this.all : this.all.filter((inbox) => inbox.id === id);
  }

  /** Whose an event is, where those of several merchants are shown. */
  nameOf({ merchant }: Pick<StoredEvent, "merchant">): string | undefined {
    const inbox = this.all.find(({ id }) => id === merchant);
    return this.chosen === allMerchants && inbox ? titleOf(inbox, this.all) : undefined;
  }

  choose(id: string): void {
    this.chosen = id;
    RED.settings.setLocal(remembered, id);
  }

  /** Whether the one that is chosen is not there and may come back: what is shown of it stays meanwhile. */
  isDeploying(): boolean {
    const isThere = this.chosen === "" || this.shown().length > 0;
    this.#missed = isThere ? 0 : this.#missed + 1;
    return !isThere && this.#missed <= patience;
  }

  /** Chooses the one that was chosen last, or else all. @returns whether that is another than before */
  chooseAgain(): boolean {
    const before = this.chosen;
    const wanted = before || (RED.settings.getLocal(remembered) ?? "");
    const [first, second] = this.all;
    if (!first) this.chosen = "";
    else if (this.all.some(({ id }) => id === wanted)) this.chosen = wanted;
    else this.chosen = second ? allMerchants : first.id;
    return this.chosen !== before;
  }
}
