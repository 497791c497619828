import type { Finding } from "./Checker.ts"

type Counts = Readonly<Record<string, number>>

export interface Summary {
  readonly seed: number
  readonly minutes: number
  readonly load: Counts
  readonly faults: Counts
  readonly events: Counts
  readonly findings: ReadonlyArray<Finding>
}

/** Misses of a rule that are shown; the number of all is. */
const shown = 10

/** What a person reads at the end of a run, and one line for a table of many runs. */
export const of = ({ events, faults, findings, load, minutes, seed }: Summary): string => {
  const injected = Object.values(faults).reduce((sum, count) => sum + count, 0)
  const misses = findings.reduce((sum, finding) => sum + finding.misses.length, 0)
  return [
    `\nSeed ${seed}, ${minutes} minutes`,
    "\nLoad",
    ...table(load),
    `\nFaults injected: ${injected}`,
    ...table(faults),
    "\nEvents",
    ...table(events),
    "\nRules (checked, missed)",
    ...findings.flatMap(({ checked, misses: of, rule }) => [
      `  ${rule.padEnd(76)} ${String(checked).padStart(6)} ${String(of.length).padStart(6)}`,
      ...of.slice(0, shown).map((miss) => `      ${miss}`)
    ]),
    `\n| ${[
      seed,
      load["executions"],
      load["service calls"],
      injected,
      events["killed (SIGKILL)"],
      events["ended (SIGTERM)"],
      events["emulators restarted"],
      `${events["leases stolen"]} + ${events["locks stolen"]}`,
      `${events["messages sent twice"]} + ${events["messages delivered again"]}`,
      load["of these by bad luck (retries or crashes used up)"],
      misses
    ].join(" | ")} |`,
    misses === 0 ? "\nchaos: nothing lost, nothing twice, nothing left" : `\nchaos: ${misses} misses`
  ].join("\n")
}

const table = (counts: Counts): ReadonlyArray<string> =>
  Object.entries(counts).map(([name, count]) => `  ${name.padEnd(52)} ${String(count).padStart(8)}`)
