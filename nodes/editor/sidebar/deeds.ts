import { ask, type Asking, type StoredEvent } from "./inbox";
import { confirm, notify } from "./notify";
import { happened, jobOf, reasonOf, t } from "./words";

/** What can be done with one event: how it is asked for, and whether the user is asked before. */
const deeds = {
  run: { path: "/run", asking: {}, isConfirmed: false },
  "run-all": { path: "/run", asking: { body: { all: true } }, isConfirmed: true },
  settle: { path: "/settle", asking: {}, isConfirmed: true },
  delete: { path: "", asking: { method: "DELETE" }, isConfirmed: true },
} as const satisfies Record<string, { path: string; asking: Asking; isConfirmed: boolean }>;

export type Deed = keyof typeof deeds;

/** Has something done, where the user wants it. @param act has it done, see `act` */
export function doWith(
  event: StoredEvent,
  deed: Deed,
  asker: JQuery,
  act: (path: string, asking: Asking) => void,
): void {
  const { path, asking, isConfirmed } = deeds[deed];
  const confirmed = () => act(`events/${event.seq}${path}`, asking);
  const what = [happened(event), jobOf(event)].filter(Boolean).join(", ");
  if (isConfirmed) confirm(asker, deed, { what }, confirmed);
  else confirmed();
}

/** Has something done, and says with how many events it was, or why not. */
export async function act(path: string, asking: Asking): Promise<void> {
  try {
    const done = await ask<Record<string, unknown>>(path, { method: "POST", body: {}, ...asking });
    const said = Object.entries(done).filter(([what, count]) => count !== 0 || what !== "nowhere");
    const texts = said.flatMap(([what, count]) =>
      typeof count === "number" ? t(`done.${what}`, { count }) : [],
    );
    if (texts.length > 0) notify(texts, done.nowhere ? "warning" : "success");
  } catch (failure) {
    notify([reasonOf(failure)], "error");
  }
}
