import type { Deeds } from "./deeds";
import { save } from "./export";
import { isNarrowed, type Cause, type Counts, type Filter, type Inbox, type StoredEvent } from "./inbox";
import { linkTo } from "./link";
import type { Progress } from "./progress";
import { sum } from "./summary";
import type { Talk } from "./talk";
import { reasonOf, t, titleOf } from "./words";

/** What is shown, when something is done with all of it. */
export interface Shown {
  inboxes: Inbox[];
  filter: Filter;
  /** How many events the filter lets through; absent: nobody can tell. */
  counts: Counts | undefined;
}

/** What a person does with many events at once. */
export class Bulk {
  /** @param shown what is shown just now */
  constructor(
    private readonly talk: Talk,
    private readonly deeds: Deeds,
    private readonly progress: Progress,
    private readonly shown: () => Shown,
  ) {}

  get #ids(): string[] {
    return this.shown().inboxes.map(({ id }) => id);
  }

  get #names(): string {
    const { inboxes } = this.shown();
    return inboxes.map((inbox) => titleOf(inbox, inboxes)).join(", ");
  }

  /** Runs again what failed and is shown. */
  async run(): Promise<void> {
    const { filter, counts } = this.shown();
    const values = { count: counts?.failed ?? 0, name: this.#names };
    const { state, ...wanted } = filter;
    void state; // only what failed is run again
    if (await this.talk.confirm(isNarrowed(filter) ? "run-shown" : "run-failed", values))
      await this.#run(this.#ids, wanted);
  }

  /** Runs again what failed for a cause, and nothing else. */
  async runCause({ merchant, node, error, count }: Cause): Promise<void> {
    const values = { count, node: node.name || node.type, error };
    if (await this.talk.confirm("run-cause", values)) await this.#run([merchant], { node: node.id, error });
  }

  async #run(merchants: string[], wanted: Filter): Promise<void> {
    const before = sum(this.shown().inboxes.map(({ counts }) => counts));
    const done = await this.deeds.act(merchants, "run", { body: wanted });
    if (done) this.progress.begin(done.run ?? 0, before);
  }

  async pause(isPaused: boolean): Promise<void> {
    await this.deeds.act(this.#ids, isPaused ? "pause" : "resume");
  }

  async clear(): Promise<void> {
    const { waiting, failed, processed } = sum(this.shown().inboxes.map(({ counts }) => counts));
    const values = { count: failed + processed, waiting, name: this.#names };
    if (await this.talk.confirm("clear", values)) await this.deeds.act(this.#ids, "clear");
  }

  /** Saves what is shown as a file. @param document in which it is saved */
  async exportShown(document: Document): Promise<void> {
    const { filter, counts } = this.shown();
    const all = counts && (filter.state ? counts[filter.state as keyof Counts] : sumOf(counts));
    if (!(await this.talk.confirm("export", { count: all ?? "?", name: this.#names }))) return;
    try {
      await save(this.#ids, filter, document);
    } catch (failure) {
      this.talk.say([reasonOf(failure)], "error");
    }
  }

  /** Copies the link that opens an event, or shows it where the browser does not let it be copied. */
  async copyLink(event: StoredEvent, { clipboard }: Navigator): Promise<void> {
    const link = linkTo(event);
    try {
      await clipboard.writeText(link);
      this.talk.say([t("link-copied")], "success");
    } catch {
      await this.talk.show(t("link-here"), link);
    }
  }
}

function sumOf(counts: Counts): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}
