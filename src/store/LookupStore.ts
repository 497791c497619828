import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import type { Scope } from "effect/Scope"
import type { ServiceError } from "../domain/ServiceError.ts"

/** A container of any Cosmos DB account, as a definition names it. */
export interface LookupPlace {
  readonly endpoint: string
  /** Null: the worker's own identity. */
  readonly key: Redacted.Redacted | null
  readonly database: string
  readonly container: string
}

/** What a partition is known by. */
export type PartitionKey = string | number | boolean

export interface LookupQuery {
  readonly query: string
  readonly parameters: ReadonlyArray<{ readonly name: string; readonly value: unknown }>
  /** Null: all partitions. */
  readonly partitionKey: PartitionKey | null
  /** Results beyond these are neither fetched nor given. */
  readonly limit: number
}

/** One container, for reading. */
export interface LookupContainer {
  /** The document, with the service's own properties; none if it does not exist. */
  readonly read: (id: string, partitionKey: PartitionKey) => Effect.Effect<Option.Option<unknown>, ServiceError>
  /** The results in the query's order. Invalid (BadRequest) for a query that the service refuses. */
  readonly query: (query: LookupQuery) => Effect.Effect<ReadonlyArray<unknown>, ServiceError>
}

/** Containers that definitions look things up in. Connections are shared by all runs that use the same account and key. */
export class LookupStore extends Context.Tag("contentflow-worker/executors/LookupStore")<
  LookupStore,
  {
    /** Costs nothing yet; the connection stays at least as long as the scope. */
    readonly open: (place: LookupPlace) => Effect.Effect<LookupContainer, ServiceError, Scope>
  }
>() {}
