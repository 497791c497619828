import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { Scope } from "effect/Scope"
import * as Either from "effect/Either"
import type { Executor, ExecutorError, ExecutorInstance } from "./Executor.ts"

/** The executor types that definitions may use. */
export class Catalog extends Context.Tag("contentflow-worker/executor/Catalog")<
  Catalog,
  {
    /** By exact type id, else by alias. */
    readonly find: (type: string) => Option.Option<Executor<never>>
    /** All types, sorted by id. */
    readonly all: ReadonlyArray<Executor<never>>
  }
>() {}

/** A catalog of these executors; what they require is taken once, when the layer is built. A later entry replaces an earlier one. */
export const layer = <R = never>(
  executors: ReadonlyArray<Executor<R>>
): Layer.Layer<Catalog, never, Exclude<R, Scope>> =>
  Layer.effect(
    Catalog,
    Effect.map(Effect.context<Exclude<R, Scope>>(), (context) =>
      make(executors.map((executor) => provided(executor, context)))
    )
  )

/** These executors beside those of the catalog below; one of the same type takes the other's place. */
export const adding = <R = never>(executors: ReadonlyArray<Executor<R>>) =>
  Layer.effect(
    Catalog,
    Effect.gen(function* () {
      const { all, find } = yield* Catalog
      const context = yield* Effect.context<Exclude<R, Scope>>()
      for (const { type } of executors) {
        if (Option.isSome(find(type)))
          yield* Effect.logInfo(`An executor type of yours takes the place of the built-in ${type}`)
      }
      return make([...all, ...executors.map((executor) => provided(executor, context))])
    })
  )

/** A catalog of executors that require nothing. */
export const make = (executors: ReadonlyArray<Executor<never>>): Catalog["Type"] => {
  const byType = new Map(executors.map((executor) => [executor.type, executor]))
  const byAlias = new Map(
    [...byType.values()].flatMap((executor) => executor.aliases.map((alias) => [alias, executor]))
  )
  return Catalog.of({
    find: (type) => Option.fromNullable(byType.get(type) ?? byAlias.get(type)),
    all: [...byType.values()].sort((a, b) => (a.type < b.type ? -1 : 1))
  })
}

const provided = <R>(executor: Executor<R>, context: Context.Context<Exclude<R, Scope>>): Executor<never> => ({
  ...executor,
  prepare: (settings) =>
    Either.map(executor.prepare(settings), (build) => (place) => {
      const built = build(place)
      // What is built already requires nothing any more.
      if (Exit.isExit(built)) return built as Exit.Exit<ExecutorInstance, ExecutorError>
      return Effect.mapInputContext(
        built,
        (run: Context.Context<Scope>) =>
          // The catalog's services go first: around a run there may be others of the same kind, without the valves.
          Context.add(Context.merge(run, context), Scope, Context.get(run, Scope)) as Context.Context<R | Scope>
      )
    })
})
