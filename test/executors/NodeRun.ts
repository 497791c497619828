import { Either } from "effect"
import * as Effect from "effect/Effect"
import type { Content } from "../../src/domain/Content.ts"
import { ExecutorId } from "../../src/domain/Ids.ts"
import type * as Executor from "../../src/executor/Executor.ts"
import { withRoots } from "../support/LocalFiles.ts"
import * as Condition from "../../src/condition/Condition.ts"

/** The settings of a node are wrong. */
export class SettingsRefused extends Error {
  override readonly name = "SettingsRefused"
}

/**
 * Runs one node as the runner does: only on the items that meet its `condition`, the others stay where they were; when
 * it fails and `fail_pipeline_on_error` is off, its items go on as they came.
 */
export const runNode = <R>(
  executor: Executor.Executor<R>,
  id: string,
  settings: Readonly<Record<string, unknown>>,
  items: ReadonlyArray<Content>
) =>
  Effect.gen(function* () {
    const prepared = executor.prepare(settings)
    if (Either.isLeft(prepared)) {
      return yield* Effect.fail(new SettingsRefused(prepared.left.map(({ message }) => message).join(" ")))
    }
    const failOnError = settings["fail_pipeline_on_error"] !== false
    const condition = settings["condition"]
    const instance = yield* prepared.right({ id: ExecutorId.make(id), pipelineName: "test", failOnError })
    if (typeof condition !== "string" || condition === "") {
      const run = instance.process(items)
      return yield* failOnError ? run : Effect.orElseSucceed(run, () => items)
    }
    const parsed = Either.getOrThrow(Condition.parse(condition))
    const results: Array<Content> = []
    for (const item of items) {
      const meets = Either.getOrThrow(Condition.evaluate(parsed, { ...item }))
      results.push(...(meets ? yield* instance.process([item]) : [item]))
    }
    return results
  }).pipe(Effect.scoped, withRoots())

/** An item of this data. */
export const item = (
  data: Readonly<Record<string, unknown>>,
  id: Partial<NonNullable<Content["id"]>> | null = {}
): Content => ({
  id:
    id === null
      ? null
      : {
          canonical_id: "doc",
          unique_id: "u",
          source_name: null,
          source_type: null,
          container: null,
          path: null,
          filename: null,
          metadata: null,
          ...id
        },
  summary_data: {},
  data,
  executor_logs: []
})
