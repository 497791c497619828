import * as Checker from "../Checker.ts"
import type { Fleet } from "../Fleet.ts"
import * as Report from "../Report.ts"
import type * as World from "../World.ts"

export interface Summary {
  readonly seed: number
  readonly minutes: number
  readonly findings: ReadonlyArray<Checker.Finding>
  readonly remains: Checker.Remains
  readonly versions: ReadonlyArray<World.Version>
  readonly removed: ReadonlySet<string>
  readonly fleet: Fleet["counts"]
  readonly counts: Readonly<
    Record<
      "stolenLeases" | "stolenLocks" | "duplicatesSent" | "edits" | "looks" | "full" | "readOnly" | "locked",
      number
    >
  >
  readonly malformed: number
  readonly edited: number
}

/** What a person reads at the end of a run on a folder, and one line for a table of many runs. */
export const of = (summary: Summary): string => {
  const { counts, edited, findings, fleet, malformed, minutes, remains, removed, seed, versions } = summary
  const misses = findings.reduce((sum, finding) => sum + finding.misses.length, 0)
  const withStatus = (status: string) => remains.executions.filter((each) => each.status === status).length
  const badLuck = Checker.badLuck(remains)
  return [
    `\nSeed ${seed}, ${minutes} minutes on one folder`,
    "\nLoad",
    ...Report.table({
      "document versions": versions.length,
      "documents deleted": removed.size,
      executions: remains.executions.length,
      completed: withStatus("completed"),
      failed: withStatus("failed"),
      "of these by bad luck (retries used up)": badLuck,
      "messages in the poison queue": remains.poison.length
    }),
    "\nEvents",
    ...Report.table({
      "processes started": fleet.starts,
      "of these with a wrong clock": fleet.skewed,
      "clocks set while running": fleet.clockSteps,
      "killed (SIGKILL)": fleet.killed,
      "killed by a document": fleet.killedByDocuments,
      "stopped for longer than a lease (SIGSTOP)": fleet.frozen,
      "ended (SIGTERM)": fleet.terminated,
      "disk full": counts.full,
      "folder read-only": counts.readOnly,
      "database locked": counts.locked,
      "leases stolen": counts.stolenLeases,
      "locks stolen": counts.stolenLocks,
      "messages sent twice": counts.duplicatesSent,
      "looks of foreign readers": counts.looks,
      "edits of executions": edited,
      "malformed messages": malformed,
      "pipeline edits": counts.edits
    }),
    ...Report.rules(findings),
    `\n| ${[
      seed,
      remains.executions.length,
      `${fleet.killed} + ${fleet.killedByDocuments}`,
      fleet.terminated,
      fleet.frozen,
      fleet.clockSteps,
      `${counts.full} + ${counts.readOnly} + ${counts.locked}`,
      `${counts.stolenLeases} + ${counts.stolenLocks}`,
      `${counts.duplicatesSent} + ${counts.looks}`,
      edited,
      removed.size,
      badLuck,
      misses
    ].join(" | ")} |`,
    Report.verdict(misses)
  ].join("\n")
}
