import * as Effect from "effect/Effect"
import * as Either from "effect/Either"

/**
 * As `Effect.forEach`, but after a failure those that are under way come to their end before it counts, and no others begin: each of them is
 * paid for, and its answer is kept for the next try.
 */
export const forEach = <A, B, E>(
  all: ReadonlyArray<A>,
  f: (each: A) => Effect.Effect<B, E>,
  options: { readonly concurrency: number }
): Effect.Effect<ReadonlyArray<B>, E> =>
  Effect.suspend(() => {
    let failure: Either.Left<E, never> | undefined
    const results: Array<B> = []
    return Effect.flatMap(
      Effect.forEach(
        all,
        (each, index) =>
          Effect.suspend(() =>
            failure !== undefined
              ? Effect.void
              : Effect.map(Effect.either(f(each)), (result) => {
                  if (Either.isRight(result)) results[index] = result.right
                  else failure ??= result as Either.Left<E, never>
                })
          ),
        { ...options, discard: true }
      ),
      () => (failure === undefined ? Effect.succeed(results) : Effect.fail(failure.left))
    )
  })
