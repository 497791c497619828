import { assert, describe, it } from "@effect/vitest"
import { Either } from "effect"
import * as Effect from "effect/Effect"
import type { Content } from "../../src/domain/Content.ts"
import type * as Executor from "../../src/executor/Executor.ts"
import * as Golden from "./input/Golden.ts"
import { runNode } from "./NodeRun.ts"

/** Holds an executor to what the original gave in every case of `file` that is not marked as a defect of the original. */
export const describeGolden = <R>(options: {
  readonly file: string
  readonly executor: Executor.Executor<R>
  readonly id: string
  /** The items of a case; those of `input` when absent. */
  readonly items?: (vector: Golden.GoldenCase) => Effect.Effect<ReadonlyArray<Content>, never, R>
  /** What `items` changed, back as it was. */
  readonly restore?: (item: Content, vector: Golden.GoldenCase) => Content
  /** Cases where we mean to differ, which tests of their own state. */
  readonly except?: ReadonlySet<string>
  readonly provide: <A, E>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E>
}): void => {
  const vectors = Golden.load(options.file)
  describe(`${options.executor.type}, golden vectors`, () => {
    for (const vector of vectors.filter(
      (each) => each.original_defect !== true && options.except?.has(each.id) !== true
    )) {
      it.effect(`${vector.id} ${vector.note ?? ""}`, () =>
        Effect.gen(function* () {
          const items = yield* options.items?.(vector) ?? Effect.succeed(Golden.items(vector["input"]))
          const result = yield* Effect.either(runNode(options.executor, options.id, vector.settings, items))
          if (vector.error !== undefined) return assert.isTrue(Either.isLeft(result), vector.error.message)
          const output = Either.getOrThrowWith(result, (error) => error)
          const restored = output.map((each) => options.restore?.(each, vector) ?? each)
          const expected = vector["output"]
          assert.isUndefined(Golden.difference(Array.isArray(expected) ? expected : [expected], restored))
        }).pipe(options.provide)
      )
    }
  })
}

/**
 * States our result where the original's is marked as its defect: `ours` has for each case what `seen` makes of our output (or of
 * the error's message). Cases that are not there are passed over.
 */
export const describeOurs = <R>(options: {
  readonly file: string
  readonly executor: Executor.Executor<R>
  readonly id: string
  readonly ours: Readonly<Record<string, unknown>>
  readonly seen: (output: ReadonlyArray<Content>, input: ReadonlyArray<Content>) => unknown
  readonly provide: <A, E>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E>
}): void => {
  const vectors = Golden.load(options.file)
  describe(`${options.executor.type}, where the original is at fault`, () => {
    for (const vector of vectors) {
      if (!Object.hasOwn(options.ours, vector.id)) continue
      it.effect(`${vector.id} ${(vector.defects ?? []).join(", ")}`, () =>
        Effect.gen(function* () {
          const items = Golden.items(vector["input"])
          const output = yield* Effect.either(runNode(options.executor, options.id, vector.settings, items))
          const seen = Either.match(output, {
            onLeft: (error) => error.message,
            onRight: (result) => options.seen(result, items)
          })
          assert.deepStrictEqual(JSON.parse(JSON.stringify(seen)), options.ours[vector.id])
        }).pipe(options.provide)
      )
    }
  })
}
