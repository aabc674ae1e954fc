import { ask, type Asking, type StoredEvent } from "./inbox";
import type { Talk } from "./talk";
import { receiversOf } from "./receivers";
import { happened, jobOf, reasonOf, t } from "./words";

/** What can be done with one event: how it is asked for, and whether the user is asked before. */
const deeds = {
  run: { path: "/run", asking: {}, isConfirmed: false },
  "run-all": { path: "/run", asking: { body: { all: true } }, isConfirmed: true },
  settle: { path: "/settle", asking: {}, isConfirmed: true },
  delete: { path: "", asking: { method: "DELETE" }, isConfirmed: true },
} as const satisfies Record<string, { path: string; asking: Asking; isConfirmed: boolean }>;

export type Deed = keyof typeof deeds;

/** What was done to a merchant's events. */
export type Done = Record<string, unknown>;

/** What a person does with events, with what is asked before and said after it. */
export class Deeds {
  /** @param changed is called when something was done, or tried */
  constructor(
    readonly talk: Talk,
    private readonly changed: () => void,
  ) {}

  /** Does something with one event, where the user wants it. */
  async do(event: StoredEvent, deed: Deed): Promise<void> {
    const { path, asking, isConfirmed } = deeds[deed];
    if (isConfirmed && !(await this.talk.confirm(deed, { what: calledOf(event) }))) return;
    await this.act([event.merchant], `events/${event.seq}${path}`, asking);
  }

  /** Sends an event as a test event, to a `radaro in` that the user chooses. */
  async test(event: StoredEvent): Promise<void> {
    const nodes = receiversOf(event);
    const [first] = nodes;
    if (!first) {
      this.talk.say([t("test.none", { path: event.path })], "warning");
      return;
    }
    const options = nodes.map(({ id, name }) => $("<option>", { value: id }).text(name));
    const choice = $("<select>", { "aria-label": t("test.to") }).append(options);
    const values = { what: calledOf(event), node: first.name };
    const isOne = nodes.length === 1;
    if (!(await this.talk.confirm(isOne ? "test" : "test-to", values, isOne ? undefined : choice))) return;
    const node = String(choice.val());
    const sent = await this.act([event.merchant], `events/${event.seq}/test`, { body: { node } });
    if (sent) this.talk.say([t("test.sent", { node: nodes.find(({ id }) => id === node)!.name })], "success");
  }

  /**
   * Has something done, and says with how many events it was, or why not.
   *
   * @param merchants whose events it is done with
   * @param path below the merchant's
   * @returns how many events it was done with, by what was done; `undefined`: it was not
   */
  async act(
    merchants: string[],
    path: string,
    asking: Asking = {},
  ): Promise<Record<string, number> | undefined> {
    try {
      const total: Record<string, number> = {};
      for (const id of merchants) {
        const done = await ask<Done>(`/${id}/${path}`, { method: "POST", body: {}, ...asking });
        for (const [what, count] of Object.entries(done))
          if (typeof count === "number") total[what] = (total[what] ?? 0) + count;
      }
      const said = Object.entries(total).filter(([what, count]) => count !== 0 || what !== "nowhere");
      const texts = said.map(([what, count]) => t(`done.${what}`, { count }));
      if (texts.length > 0) this.talk.say(texts, total.nowhere ? "warning" : "success");
      return total;
    } catch (failure) {
      this.talk.say([reasonOf(failure)], "error");
      return undefined;
    } finally {
      this.changed();
    }
  }
}

/** An event in a sentence. */
export function calledOf(event: StoredEvent): string {
  return [happened(event), jobOf(event)].filter(Boolean).join(", ");
}
