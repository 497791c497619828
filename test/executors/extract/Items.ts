import { Effect, Either } from "effect"
import type { Content } from "../../../src/domain/Content.ts"
import { ExecutorId } from "../../../src/domain/Ids.ts"
import { withRoots } from "../../support/LocalFiles.ts"
import type { Executor, ExecutorContext } from "../../../src/executor/Executor.ts"

/** An item whose document has this name. */
export const item = (
  data: Readonly<Record<string, unknown>>,
  filename = "document",
  metadata: Readonly<Record<string, unknown>> | null = null
): Content => ({
  id: {
    canonical_id: filename,
    unique_id: "u",
    source_name: null,
    source_type: null,
    container: null,
    path: null,
    filename,
    metadata
  },
  summary_data: {},
  data,
  executor_logs: []
})

/** Runs a node with these settings. */
export const run = <R>(
  executor: Executor<R>,
  settings: Readonly<Record<string, unknown>>,
  items: ReadonlyArray<Content>,
  failOnError = true,
  context: Partial<ExecutorContext> = {}
) =>
  Effect.gen(function* () {
    const prepared = Either.getOrThrowWith(executor.prepare(settings), (problems) => new Error(problems[0]?.message))
    const instance = yield* prepared({ id: ExecutorId.make("extract"), pipelineName: "test", failOnError, ...context })
    return yield* instance.process(items)
  }).pipe(Effect.scoped, withRoots())

/** What the first item has under this key of data. */
export const output = (items: ReadonlyArray<Content>, field: string) =>
  items[0]?.data[field] as Readonly<Record<string, unknown>>
