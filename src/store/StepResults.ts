import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { retryTransientTogether } from "../concurrency/RetryTransient.ts"
import * as JsonReader from "../domain/JsonReader.ts"
import type { ServiceError } from "../domain/ServiceError.ts"

/** What is kept of a step: what it gave, or how far it came. */
export interface StepRecord {
  readonly kind: "result" | "progress"
  /** As JSON has it. */
  readonly value: unknown
}

export interface KeptStep extends StepRecord {
  /** When it was kept: epoch milliseconds. */
  readonly at: number
}

/** Results of costly and paid steps. A key is a digest of all that the result depends on, so nothing that is kept is ever wrong, only old. */
export interface StepStore {
  /** None when nothing is kept under this key, or when it is older than its time. */
  readonly get: (key: string) => Effect.Effect<Option.Option<KeptStep>, ServiceError>
  /** Kept when this returns; a record of more bytes than {@link StepLimits.maxBytes} is not, which is no failure. */
  readonly put: (key: string, record: StepRecord) => Effect.Effect<"Kept" | "TooLarge", ServiceError>
  /** Removes what is older than its time, and gives how much that was. */
  readonly sweep: Effect.Effect<number, ServiceError>
}

export interface StepLimits {
  /** How long a record counts. Zero keeps nothing. */
  readonly timeToLive: Duration.Duration
  /** Bytes of one record's text before it is compressed. */
  readonly maxBytes: number
}

/** Results are read back into memory, several tasks at a time. */
export const defaultMaxBytes = 32 * 1024 * 1024

/** Where the results of steps are kept; null, the default, where none are. */
export class StepResults extends Context.Reference<StepResults>()("contentflow-worker/store/StepResults", {
  defaultValue: (): StepStore | null => null
}) {}

/** The same store, waited for while it is away: of the calls of many steps at the same time one is repeated for all, and when it is given up, so are they. */
export const patient = (store: StepStore): Effect.Effect<StepStore> =>
  Effect.map(retryTransientTogether("200 millis", "15 seconds"), (insistently) => ({
    ...store,
    get: (key) => insistently(store.get(key)),
    put: (key, record) => insistently(store.put(key, record))
  }))

/** The text of a record, as every store holds it. */
export const encode = (record: StepRecord, at: number): string => JSON.stringify({ at, ...record })

/** None for a text that no {@link encode} made. */
export const decode = (text: string): Option.Option<KeptStep> => {
  const read = Option.liftThrowable((): unknown => JSON.parse(text))()
  if (Option.isNone(read) || !JsonReader.isFields(read.value)) return Option.none()
  const { at, kind, value } = read.value
  return typeof at === "number" && (kind === "result" || kind === "progress")
    ? Option.some({ at, kind, value })
    : Option.none()
}

/** Whether a record of that time no longer counts. */
export const isOver = (at: number, now: number, { timeToLive }: Pick<StepLimits, "timeToLive">): boolean =>
  now - at >= Duration.toMillis(timeToLive)

export const makeMemory = (limits: StepLimits, texts = new Map<string, string>()): StepStore => {
  const live = (key: string, now: number): Option.Option<KeptStep> =>
    Option.filter(Option.flatMap(Option.fromNullable(texts.get(key)), decode), ({ at }) => !isOver(at, now, limits))
  return {
    get: (key) => Effect.map(Clock.currentTimeMillis, (now) => live(key, now)),
    put: (key, record) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        const text = encode(record, now)
        if (Buffer.byteLength(text) > limits.maxBytes) return "TooLarge"
        texts.set(key, text)
        return "Kept"
      }),
    sweep: Effect.map(Clock.currentTimeMillis, (now) => {
      const over = [...texts.keys()].filter((key) => Option.isNone(live(key, now)))
      for (const key of over) texts.delete(key)
      return over.length
    })
  }
}

export const layerMemory = (limits: StepLimits): Layer.Layer<never> => Layer.sync(StepResults, () => makeMemory(limits))
