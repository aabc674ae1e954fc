import { spread } from "./figures";
import { tab } from "./flows";
import { withNodeRed } from "./node-red";

const rounds = 11;
const perRound = 20_000;

/** What a message costs in `radaro switch`, and in the two core switch nodes that route the same way. */
export async function perMessage(): Promise<void> {
  for (const count of [4, 20, 100]) {
    const statuses = Array.from({ length: count - 1 }, (_, i) => (i === 0 ? "delivered" : `status_${i}`));
    const flows = [tab, ...radaroSwitch(statuses), ...coreSwitches(statuses)];
    await withNodeRed(flows, {}, async ({ ask }) => {
      const pump = (id: string, end: string) => ask<number>(`pump/${id}/${end}/${perRound}`);
      await pump("ours", "ours-end");
      await pump("core", "core-end");
      const rows: { ours: number; core: number }[] = [];
      for (let i = 0; i < rounds; i++) {
        rows.push({ ours: await pump("ours", "ours-end"), core: await pump("core", "core-end") });
      }
      const of = (name: "ours" | "core") =>
        spread(
          rows.map((row) => row[name]),
          2,
        );
      console.log(
        `  ${String(count).padStart(3)} rules: ours ${of("ours")} µs a message, core ${of("core")} µs,` +
          ` ours : core ${spread(
            rows.map(({ ours, core }) => ours / core),
            2,
          )}`,
      );
    });
  }
}

/** A rule for each status, and one for the rest. */
function radaroSwitch(statuses: string[]): object[] {
  const rules = statuses.map((to) => ({
    kind: "event",
    eventType: "updated",
    field: "status",
    to,
    toType: "str",
  }));
  return [
    {
      id: "ours",
      type: "radaro switch",
      z: "tab",
      property: "payload",
      rules: [...rules, { kind: "otherwise" }],
      checkall: true,
      outputs: rules.length + 1,
      wires: [...rules, 0].map(() => ["ours-end"]),
    },
    { id: "ours-end", type: "bench end", z: "tab" },
  ];
}

/** The same: a switch for the event's type, and one for the new status. */
function coreSwitches(statuses: string[]): object[] {
  const rules = statuses.map((v) => ({ t: "eq", v, vt: "str" }));
  return [
    {
      id: "core",
      type: "switch",
      z: "tab",
      property: "payload.event_type",
      propertyType: "msg",
      rules: [{ t: "eq", v: "updated", vt: "str" }, { t: "else" }],
      checkall: "true",
      outputs: 2,
      wires: [["core-status"], ["core-end"]],
    },
    {
      id: "core-status",
      type: "switch",
      z: "tab",
      property: "payload.new_values.status",
      propertyType: "msg",
      rules: [...rules, { t: "else" }],
      checkall: "true",
      outputs: rules.length + 1,
      wires: [...rules, 0].map(() => ["core-end"]),
    },
    { id: "core-end", type: "bench end", z: "tab" },
  ];
}
