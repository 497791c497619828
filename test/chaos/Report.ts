import type { Finding } from "./Checker.ts"
import type { Outage } from "./Outages.ts"

type Counts = Readonly<Record<string, number>>

export interface Summary {
  readonly seed: number
  readonly minutes: number
  readonly load: Counts
  readonly faults: Counts
  readonly events: Counts
  readonly outages: ReadonlyArray<Outage>
  readonly findings: ReadonlyArray<Finding>
}

/** Misses of a rule that are shown; the number of all is. */
const shown = 10

/** What a person reads at the end of a run, and one line for a table of many runs. */
export const of = ({ events, faults, findings, load, minutes, outages, seed }: Summary): string => {
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
    `\nOutages: ${outages.length}`,
    ...outages.map((outage) => `  ${named(outage).padEnd(52)} ${rates(outage)}`),
    ...rules(findings),
    `\n| ${[
      seed,
      load["executions"],
      load["service calls"],
      injected,
      `${events["killed (SIGKILL)"]} + ${events["killed by a document"]}`,
      events["ended (SIGTERM)"],
      events["stopped for longer than a lease (SIGSTOP)"],
      events["clocks set while running"],
      events["emulators restarted"],
      outages.length === 0 ? "none" : outages.map(shortly).join("; "),
      `${events["leases stolen"]} + ${events["locks stolen"]}`,
      `${events["questions to a model"]} + ${repeated(events)}`,
      events["outputs removed"],
      `${events["messages sent twice"]} + ${events["messages delivered again"]} + ${events["messages taken by foreign readers"]}`,
      events["edits of executions"],
      load["documents deleted"],
      load["of these by bad luck (retries used up)"],
      misses
    ].join(" | ")} |`,
    verdict(misses)
  ].join("\n")
}

/** Paid calls beyond one for each question. */
const repeated = (events: Counts): number => (events["paid calls"] ?? 0) - (events["questions to a model"] ?? 0)

export const rules = (findings: ReadonlyArray<Finding>): ReadonlyArray<string> => [
  "\nRules (checked, missed)",
  ...findings.flatMap(({ checked, misses, rule }) => [
    `  ${rule.padEnd(76)} ${String(checked).padStart(6)} ${String(misses.length).padStart(6)}`,
    ...misses.slice(0, shown).map((miss) => `      ${miss}`)
  ])
]

export const verdict = (misses: number): string =>
  misses === 0 ? "\nchaos: nothing lost, nothing twice, nothing left" : `\nchaos: ${misses} misses`

const named = ({ countedMillis, kind, service }: Outage): string =>
  `${service} (${kind}), calls a second in ${(countedMillis / 1_000).toFixed(0)} s`

/** Of each process, and in parentheses those of all services. */
const rates = ({ calls, countedMillis }: Outage): string =>
  calls.map(({ all, refused }) => `${perSecond(refused, countedMillis)} (${perSecond(all, countedMillis)})`).join(", ")

/** With the most calls a second that a process made of the service that was away. */
const shortly = ({ calls, countedMillis, kind, service }: Outage): string =>
  `${service} ${kind} ${perSecond(Math.max(...calls.map(({ refused }) => refused)), countedMillis)}/s`

const perSecond = (count: number, millis: number): string => ((count * 1_000) / millis).toFixed(1)

export const table = (counts: Counts): ReadonlyArray<string> =>
  Object.entries(counts).map(([name, count]) => `  ${name.padEnd(52)} ${String(count).padStart(8)}`)
