import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Ids from "../domain/Ids.ts"
import * as JsonReader from "../domain/JsonReader.ts"
import type { ServiceError } from "../domain/ServiceError.ts"
import type { Document } from "../store/DocumentContainer.ts"
import { ExecutionStore } from "../store/ExecutionStore.ts"
import * as Usage from "../executor/Usage.ts"

/** What the nodes of a pipeline used in runs of the past. */
export interface PastCosts {
  /** Executions that were looked at. */
  readonly runs: number
  /** What one item used in a node of this id and type on average; undefined where no run tells. */
  readonly ofItem: (node: string, type: string) => ReadonlyArray<Usage.Usage> | undefined
}

/** The newest of them tell what the present pipeline costs. */
const mostRuns = 100

/** By completed executions of the vault's pipeline. What was kept counts as what it had cost: it is what computing it costs. */
export const find = Effect.fnUntraced(function* (
  vault: Ids.VaultId,
  pipeline: Ids.PipelineId
): Effect.fn.Return<PastCosts, ServiceError, ExecutionStore> {
  const executions = yield* ExecutionStore
  const page = yield* executions.page({ vault_id: vault, pipeline_id: pipeline, status: ["completed"] }, mostRuns)
  const documents = yield* Effect.forEach(
    page.executions,
    ({ id }) => executions.document(Ids.ExecutionId.make(id, true)),
    { concurrency: 8 }
  )
  return of(documents.flatMap(Option.toArray))
})

interface Sum {
  items: number
  readonly meter: Usage.Meter
}

/** Other programs may have written them: read with care. */
export const of = (executions: ReadonlyArray<Document>): PastCosts => {
  const sums = new Map<string, Sum>()
  for (const { executor_outputs: outputs } of executions) {
    if (!JsonReader.isFields(outputs)) continue
    for (const [node, facts] of Object.entries(outputs)) {
      if (!JsonReader.isFields(facts) || facts["status"] !== "completed") continue
      const { items_in: items, saved, type, usage } = facts
      if (typeof type !== "string" || typeof items !== "number" || !(items > 0)) continue
      const key = JSON.stringify([node, type])
      const sum = sums.get(key) ?? { items: 0, meter: new Usage.Meter() }
      sums.set(key, sum)
      sum.items += items
      for (const one of [...Usage.fromJson(usage), ...Usage.fromJson(saved)]) sum.meter.add(one)
    }
  }
  return {
    runs: executions.length,
    ofItem: (node, type) => {
      const sum = sums.get(JSON.stringify([node, type]))
      return sum === undefined ? undefined : Usage.times(sum.meter.all(), 1 / sum.items)
    }
  }
}
