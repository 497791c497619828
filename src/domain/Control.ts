import * as Schema from "effect/Schema"

/** What may be paused: the crawls that find documents, the processing of tasks, or both. */
export const PausedWork = Schema.Literal("crawling", "processing", "everything")
export type PausedWork = typeof PausedWork.Type

/** Of what it is paused. */
export const PauseScope = Schema.Union(
  Schema.Struct({ of: Schema.Literal("all") }),
  Schema.Struct({ of: Schema.Literal("pipeline", "vault"), id: Schema.NonEmptyString.pipe(Schema.maxLength(1_023)) })
)
export type PauseScope = typeof PauseScope.Type

export const Pause = Schema.Struct({
  scope: PauseScope,
  work: PausedWork,
  by: Schema.String,
  /** Since when. */
  at: Schema.String
})
export interface Pause extends Schema.Schema.Type<typeof Pause> {}

const Moments = Schema.optionalWith(Schema.Record({ key: Schema.String, value: Schema.Number }), {
  default: (): Readonly<Record<string, number>> => ({})
})

/** What people ask of the workers of a fleet, in one document that each of them reads every few seconds. Times are the store's, in epoch milliseconds. */
export const Control = Schema.Struct({
  pauses: Schema.optionalWith(Schema.Array(Pause), { default: (): ReadonlyArray<Pause> => [] }),
  /** Attempts that are to be stopped, and since when. */
  cancelled_attempts: Moments,
  /** Vaults that are to be crawled at once, and since when. */
  crawls: Moments,
  /** Processes that are to take no more work, and since when. */
  drains: Moments,
  /** Operations on many things that are under way. */
  operations: Schema.optionalWith(Schema.Array(Schema.String), { default: (): ReadonlyArray<string> => [] })
})
export interface Control extends Schema.Schema.Type<typeof Control> {}

export const nothingAsked: Control = { pauses: [], cancelled_attempts: {}, crawls: {}, drains: {}, operations: [] }

/** The pause that holds up this work of a vault or pipeline; undefined while it goes on. */
export const pauseOf = (
  { pauses }: Pick<Control, "pauses">,
  work: "crawling" | "processing",
  place: { readonly vault: string | null; readonly pipeline: string } | "all"
): Pause | undefined =>
  pauses.length === 0
    ? undefined
    : pauses.find(
        ({ scope, work: paused }) =>
          (paused === work || paused === "everything") &&
          (scope.of === "all" ||
            (place !== "all" && scope.id === (scope.of === "vault" ? place.vault : place.pipeline)))
      )

/** A pause in words, for messages. */
export const describePause = ({ at, by, scope, work }: Pause): string =>
  `${work === "everything" ? "Everything" : work === "crawling" ? "Crawling" : "Processing"}${scope.of === "all" ? "" : ` of the ${scope.of} ${scope.id}`} was paused by ${by} at ${at}.`
