import * as Duration from "effect/Duration"
import { describePause } from "../../domain/Control.ts"
import { Outcome } from "../../domain/Outcome.ts"
import type { Task } from "../../domain/Task.ts"
import type { Controls } from "../Controls.ts"

/** How long a message of a paused vault or pipeline rests: so long that few of them come a second, however many there are. */
const shortest = 10_000
const longest = 300_000
const mostASecond = 20

/** What is counted: the messages of this long. */
const window = 60_000

/** Lets go what belongs to a paused vault or pipeline; undefined for every other task. `now`: monotonic milliseconds. */
export const make = (
  controls: Pick<Controls["Type"], "paused">,
  now: () => number
): ((task: Pick<Task, "pipeline_id" | "vault_id">) => Outcome | undefined) => {
  let count = 0
  let since = 0
  return ({ pipeline_id, vault_id }) => {
    const pause = controls.paused("processing", { vault: vault_id, pipeline: pipeline_id })
    if (pause === undefined) return undefined
    const at = now()
    if (at - since > window) {
      since = at
      count = 0
    }
    const millis = Math.min(longest, Math.max(shortest, (++count * 1_000) / mostASecond))
    return Outcome.Released({ reason: describePause(pause), after: Duration.millis(millis), paused: true })
  }
}
