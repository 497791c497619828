import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { type Content, nameOf } from "../../domain/Content.ts"
import type { VersionedPipeline } from "../../domain/Pipeline.ts"
import type { Task } from "../../domain/Task.ts"
import * as Timestamp from "../../domain/Timestamp.ts"
import type { Departure } from "../../executor/RunFacts.ts"
import { PipelineRunner } from "../../pipeline/PipelineRunner.ts"
import * as Enqueue from "../crawl/Enqueue.ts"
import { DefinitionCache } from "../DefinitionCache.ts"
import * as Metrics from "../Metrics.ts"

/** Names that a text lists at most. */
const mostNames = 5

const what: Readonly<Record<Departure["_tag"], string>> = {
  Gone: "was deleted after it was found",
  Archived: "was moved to the archive tier after it was found",
  Replaced: "was replaced after it was found, and its new version has a task of its own"
}

/** What people read of the documents that left a run; undefined when there is none. */
export const describe = (departures: ReadonlyMap<string, Departure>): string | undefined => {
  if (departures.size === 0) return undefined
  const shown = [...departures].slice(0, mostNames).map(([name, departure]) => `${name} ${what[departure._tag]}`)
  return `${shown.join("; ")}${departures.size > mostNames ? `; … (${departures.size} in all)` : ""}.`
}

/**
 * Makes sure that the documents which were replaced before their turn are processed in their new version: it gets the task that a crawl would
 * give it, with the same ids, at once. Where crawls make groups it is left to them, for a group's ids are those of all its documents.
 */
export const followed = Effect.gen(function* () {
  const { enqueue } = yield* Enqueue.make
  const definitions = yield* DefinitionCache
  const runner = yield* PipelineRunner

  return Effect.fnUntraced(function* (
    task: Task,
    items: ReadonlyArray<Content>,
    departures: ReadonlyMap<string, Departure>,
    pipeline: VersionedPipeline,
    workerId: string
  ) {
    for (const { _tag } of departures.values()) Metrics.add(Metrics.departed[_tag], 1)
    const vault = task.vault_id === null ? Option.none() : yield* definitions.vault(task.vault_id)
    const input = yield* Effect.catchTag(runner.inputExecutor(pipeline), "PipelineInvalid", () => Effect.succeedNone)
    const inputExecutor = task.executed_input_executor
    if (Option.isNone(vault) || Option.isNone(input) || inputExecutor === null) return
    if (input.value.id !== inputExecutor || input.value.itemsPerTask > 1) return
    const foundAt = Option.getOrUndefined(Timestamp.parse(task.found_at))
    const source: Enqueue.Source = { vault: vault.value, pipeline: pipeline.pipeline, inputExecutor, workerId, foundAt }
    for (const item of items) {
      const departure = departures.get(nameOf(item))
      if (departure?._tag !== "Replaced") continue
      const { changedAt, etag } = departure
      yield* enqueue(source, [{ item: renewed(item, departure), version: etag, etag, modifiedAt: changedAt }])
    }
  })
})

/** The item as a crawl would find it now. */
const renewed = (item: Content, { changedAt, contentType, size }: Extract<Departure, { _tag: "Replaced" }>): Content =>
  item.id === null
    ? item
    : {
        ...item,
        id: {
          ...item.id,
          metadata: {
            ...item.id.metadata,
            size,
            last_modified: Timestamp.format(changedAt),
            content_type: contentType
          }
        }
      }
