import { ask, isNarrowed, type Counts, type Filter, type Inbox } from "./inbox";
import { sum } from "./summary";

/** How many events fit. `isWhole`: not all have been looked at yet. `undefined`: nobody can tell. */
export interface Counted {
  counts: Counts | undefined;
  isWhole: boolean;
}

/** What the inboxes say of themselves; 0 of one that has a problem says nothing. */
function knownOf(inboxes: Inbox[]): Counts | undefined {
  const counts = sum(inboxes.map((inbox) => inbox.counts));
  const isEmpty = Object.values(counts).every((count) => count === 0);
  return isEmpty && inboxes.some(({ problem }) => problem) ? undefined : counts;
}

/**
 * Counts the events of some inboxes that fit, whatever their state.
 *
 * @param tell is called with more and more of them
 * @param isWanted whether it goes on
 * @throws {Failure}
 */
export async function count(
  inboxes: Inbox[],
  { state, ...filter }: Filter,
  tell: (counted: Counted) => void,
  isWanted: () => boolean,
): Promise<void> {
  void state; // all three are counted
  const known = knownOf(inboxes);
  if (!known || !isNarrowed(filter)) {
    tell({ counts: known, isWhole: true });
    return;
  }
  const found: Counts[] = [];
  let left: [id: string, before: string][] = inboxes
    .filter(({ problem }) => !problem)
    .map(({ id }) => [id, ""]);
  while (left.length > 0) {
    const pages = await Promise.all(
      left.map(async ([id, before]) => {
        const query = $.param({ ...filter, ...(before && { before }) });
        return { id, ...(await ask<{ counts: Counts; next: string | null }>(`/${id}/counts?${query}`)) };
      }),
    );
    if (!isWanted()) return;
    found.push(...pages.map(({ counts }) => counts));
    left = pages.flatMap(({ id, next }) => (next === null ? [] : [[id, next] as [string, string]]));
    tell({ counts: sum(found), isWhole: left.length === 0 });
  }
  if (found.length === 0) tell({ counts: undefined, isWhole: true });
}
