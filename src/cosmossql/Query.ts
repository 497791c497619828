import * as Either from "effect/Either"
import * as Evaluator from "./Evaluator.ts"
import * as Limits from "./Limits.ts"
import * as Parser from "./Parser.ts"
import { QueryProblem } from "./QueryProblem.ts"
import type { Select } from "./Syntax.ts"

/** A query in the language of Azure Cosmos DB for NoSQL. */
export interface Query {
  readonly select: Select
}

export interface Options {
  /** With their @. */
  readonly parameters: ReadonlyMap<string, unknown>
  /** How many results are wanted. */
  readonly limit: number
  /** Epoch milliseconds. */
  readonly now: number
}

/** One run of a query: takes documents one by one. */
export interface Execution {
  /** Right: whether more documents are wanted. */
  readonly add: (document: unknown) => Either.Either<boolean, QueryProblem>
  readonly results: () => Either.Either<ReadonlyArray<unknown>, QueryProblem>
}

export const parse = (text: string): Either.Either<Query, QueryProblem> =>
  attempt(() => ({ select: Parser.parse(text) }))

export const execute = (
  { select }: Query,
  { limit, now, parameters }: Options
): Either.Either<Execution, QueryProblem> => {
  let work = 0
  const spend = (more: number) => {
    work += more
    if (work > Limits.maxWork) {
      throw new QueryProblem("The query takes too much work: look up fewer documents, or join fewer arrays.")
    }
  }
  return attempt(() => {
    const collector = Evaluator.collect(select, { parameters, now, spend }, undefined, limit)
    // Without FROM nothing of the documents counts.
    const isOnce = select.sources.length === 0
    if (isOnce) collector.add(undefined)
    return {
      add: (document) =>
        attempt(() => {
          if (isOnce || collector.isFull()) return false
          collector.add(document)
          return !collector.isFull()
        }),
      results: () => attempt(collector.results)
    }
  })
}

const attempt = <A>(run: () => A): Either.Either<A, QueryProblem> => {
  try {
    return Either.right(run())
  } catch (thrown) {
    if (thrown instanceof QueryProblem) return Either.left(thrown)
    throw thrown
  }
}
