import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as MonotonicTime from "../../concurrency/MonotonicTime.ts"
import * as Ids from "../../domain/Ids.ts"
import type { Pipeline } from "../../domain/Pipeline.ts"
import type { ServiceError } from "../../domain/ServiceError.ts"
import type { Vault } from "../../domain/Vault.ts"
import { ExecutionStore } from "../../store/ExecutionStore.ts"
import { FailureWebhooks } from "../notices/FailureWebhooks.ts"
import * as ExecutionChanges from "../ExecutionChanges.ts"

/** A vault that can't be crawled, and why. */
export interface FailedCrawl {
  readonly vault: Pick<Vault, "id">
  readonly pipeline: Pick<Pipeline, "id" | "name">
  /** The ETag of the pipeline. */
  readonly version: string
  readonly worker: string
  readonly error: string
  /** When a crawl last succeeded, as the checkpoint says it; null for never. */
  readonly lastSuccess: string | null
}

/** The UI shows the executions of the last 15 minutes, if nobody asks for more. */
const renewAfter = Duration.toMillis("4 minutes")

/** Records that are remembered; the one that was noted longest ago goes first. */
const most = 10_000

/**
 * Records failures for people: a failed execution for each error of each pipeline version since a crawl last succeeded, renewed and counted
 * while it lasts. In between nothing is called. `happened` is how many failures this is: 0 says that the last one still stands.
 */
export const make = Effect.gen(function* () {
  const executions = yield* ExecutionStore
  const webhooks = yield* FailureWebhooks
  /** When each was last written (monotonic milliseconds), by anyone, and the failures that it does not count yet. */
  const noted = new Map<Ids.ExecutionId, { readonly at: number; readonly uncounted: number }>()
  const remember = (id: Ids.ExecutionId, at: number, uncounted: number) => {
    noted.delete(id)
    noted.set(id, { at, uncounted })
    const oldest = noted.size > most ? noted.keys().next() : undefined
    if (oldest !== undefined && oldest.done !== true) noted.delete(oldest.value)
  }

  return Effect.fnUntraced(function* (failed: FailedCrawl, happened: 0 | 1): Effect.fn.Return<void, ServiceError> {
    const { error, lastSuccess, pipeline, vault, version, worker } = failed
    const id = Ids.executionIdOf({
      vaultId: vault.id,
      pipelineId: pipeline.id,
      items: ["crawl"],
      versions: lastSuccess === null ? [version, error] : [version, error, lastSuccess]
    })
    const before = noted.get(id)
    const uncounted = (before?.uncounted ?? 0) + happened
    const now = yield* MonotonicTime.now
    if (before !== undefined && now - before.at < renewAfter) return remember(id, before.at, uncounted)
    const wall = yield* Clock.currentTimeMillis
    const place = { id, pipeline_id: pipeline.id, pipeline_name: pipeline.name, vault_id: vault.id }
    const creation = yield* executions.create(ExecutionChanges.crawlFailed(place, worker, error, wall))
    if (creation._tag === "Created") {
      yield* webhooks.tell({
        type: "crawl.failed",
        execution: id,
        task: null,
        vault: vault.id,
        pipeline,
        documents: [],
        error
      })
      return remember(id, now, 0)
    }
    const seen = yield* executions.look(id)
    if (Option.isNone(seen)) return
    if (seen.value.idleMillis < renewAfter) return remember(id, now - seen.value.idleMillis, uncounted)
    const written = yield* executions.renewFailed(
      seen.value,
      ExecutionChanges.crawlFailedAgain(seen.value.execution, worker, uncounted, wall)
    )
    // Another worker was faster: what it wrote does not count ours.
    remember(id, now, written._tag === "Changed" ? 0 : uncounted)
  })
})
