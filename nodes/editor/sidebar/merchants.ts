import type { EditorRED } from "node-red";
import { allMerchants } from "./head";
import type { Inbox, StoredEvent } from "./inbox";
import { titleOf } from "./words";

declare const RED: EditorRED;

const remembered = "radaro-inbox-merchant";

/** The merchants whose inbox is on, and which of them is chosen: one, or all. */
export class Merchants {
  all: Inbox[] = [];
  /** `""` where there is none. */
  chosen = "";

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

  /** Chooses the one that was chosen last, or else all. */
  chooseAgain(): void {
    const wanted = this.chosen || (RED.settings.getLocal(remembered) ?? "");
    const [first, second] = this.all;
    if (!first) this.chosen = "";
    else if (this.all.some(({ id }) => id === wanted)) this.chosen = wanted;
    else this.chosen = second ? allMerchants : first.id;
  }
}
