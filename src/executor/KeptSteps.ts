import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import { type Content, type ExecutorLogEntry, nameOf } from "../domain/Content.ts"
import { isTransient, type ServiceError } from "../domain/ServiceError.ts"
import type { KeptStep, StepRecord, StepStore } from "../store/StepResults.ts"
import type { Cost } from "./Cost.ts"
import type { Rehearsal } from "./Rehearsal.ts"
import type { RunFacts } from "./RunFacts.ts"
import * as StepChange from "./StepChange.ts"
import * as StepKey from "./StepKey.ts"
import * as StepMetrics from "./StepMetrics.ts"
import * as Usage from "./Usage.ts"

export type { Cost } from "./Cost.ts"

/** How long the work of one step goes on while it is tried again, in this attempt or in a later one. */
export interface StepProgress {
  /** What was noted last, of an earlier attempt, too; null at first. */
  readonly noted: () => unknown
  /** Keeps how far the step is, before its next call: the attempt that resumes it finds it in `noted`. Null forgets it. */
  readonly note: (value: unknown) => Effect.Effect<void>
  /**
   * One question of several that the step asks: one that was answered before is not asked again. `question` is all that the answer depends on
   * beside the node's settings; answers are values that JSON has. What asking is charged for counts in `meter`.
   */
  readonly answer: <A, E>(
    question: unknown,
    meter: Usage.Meter,
    ask: (charged: Usage.Meter) => Effect.Effect<A, E>
  ) => Effect.Effect<A, E>
  /** Names the keys that the step writes into `data`, into elements of lists in it, and into `summary_data`, when it reads less than the whole item. */
  readonly writes: (keys: Iterable<string>) => void
  /** The result is not to be kept, although it is no failure. */
  readonly discard: () => void
}

/** What became of a step. */
export interface Done {
  readonly item: Content
  /** For the item's log entry. */
  readonly details: Readonly<Record<string, unknown>>
}

/** What is kept of the steps of one node in one run. */
export interface KeptSteps {
  /** What is kept for what the step `reads`, or what `work` gives, which is kept before this returns. */
  readonly around: <E>(
    item: Content,
    reads: Effect.Effect<unknown, E>,
    work: (progress: StepProgress) => Effect.Effect<Done, E>
  ) => Effect.Effect<Done, E>
}

export interface KeepingNode {
  readonly id: string
  readonly type: string
  /** {@link StepKey.ofNode}. */
  readonly digest: string
  /** `task` resumes the same task and no other. */
  readonly cache: "task" | "shared"
}

/** For nodes without kept steps: what is noted lasts as long as the attempt at the item. */
export const inert = (): StepProgress => {
  let state: unknown = null
  return {
    noted: () => state,
    note: (value) => Effect.sync(() => void (state = value)),
    answer: (_, meter, ask) => ask(meter),
    writes: () => undefined,
    discard: () => undefined
  }
}

export const make = (
  store: StepStore,
  node: KeepingNode,
  run: RunFacts | undefined,
  meter: Usage.Meter | undefined,
  cost: Cost = "paid"
): KeptSteps => {
  const keyOf = (input: unknown): string =>
    StepKey.of([node.digest, node.cache === "task" ? ["task", run?.taskId ?? null] : "shared", input])

  /** A store that can't be read is waited for; one that stays away keeps no step from being done. */
  const read = (key: string): Effect.Effect<Option.Option<KeptStep>> =>
    patiently(store.get(key)).pipe(
      Effect.catchAll((error) =>
        Effect.as(Effect.logWarning(`${node.id} looks for no kept result: ${error.message}`), Option.none<KeptStep>())
      )
    )

  if (run?.rehearsal !== undefined) {
    const look = (input: unknown, item: Content) =>
      Effect.map(read(keyOf(input)), (found) =>
        Option.isSome(found) && found.value.kind === "result" ? takenOver(item, found.value) : undefined
      )
    return rehearsed(run.rehearsal, node, cost, look)
  }

  const write = (key: string, record: StepRecord, what: string): Effect.Effect<void> =>
    patiently(store.put(key, record)).pipe(
      Effect.matchEffect({
        onSuccess: (put) => {
          StepMetrics.count(node.type, put === "Kept" ? (record.kind === "result" ? "kept" : "noted") : "too_large")
          return put === "Kept"
            ? Effect.void
            : Effect.logWarning(
                `${node.id}: ${what} is too large to be kept, so it is done again when it is needed again`
              )
        },
        onFailure: (error) => {
          StepMetrics.count(node.type, "failed")
          return Effect.logWarning(`${node.id}: ${what} could not be kept: ${error.message}`)
        }
      })
    )

  const around: KeptSteps["around"] = (item, reads, work) =>
    Effect.gen(function* () {
      const key = keyOf(yield* reads)
      const found = Option.getOrUndefined(yield* read(key))
      const known = found?.kind === "result" ? takenOver(item, found) : undefined
      if (known !== undefined) {
        StepMetrics.count(node.type, "hit")
        meter?.took({ keptAt: known.keptAt })
        meter?.save(known.saved)
        return known.done
      }
      StepMetrics.count(node.type, "miss")
      const step = new OpenStep(key, found?.kind === "progress" ? found.value : null, read, write)
      const keep = (done: Done): Effect.Effect<void> => {
        meter?.took({ keptAt: null })
        if (step.discarded) return Effect.void
        const change = StepChange.between(item, done.item, step.written)
        if (change === undefined) {
          return Effect.logDebug(`${node.id}: the result of ${nameOf(item)} holds what can't be kept`)
        }
        const used = [...Usage.ofItem(node, done.item), ...step.saved]
        const value = { change, details: done.details, usage: Usage.toJson(used) }
        return write(key, { kind: "result", value }, `the result of ${nameOf(item)}`)
      }
      // What is done is kept, whatever stops the run meanwhile.
      return yield* Effect.uninterruptibleMask((restore) => Effect.tap(restore(work(step)), keep))
    })
  return { around }
}

/** Steps of which only kept results are used. */
const rehearsed = (
  rehearsal: Rehearsal,
  { id }: KeepingNode,
  cost: Cost,
  look: (input: unknown, item: Content) => Effect.Effect<TakenOver | undefined>
): KeptSteps => {
  const leftOut = (item: Content) =>
    Effect.sync((): Done => {
      rehearsal.compute(id)
      return { item, details: {} }
    })
  return {
    around: (item, reads, work) =>
      Effect.matchEffect(reads, {
        onFailure: (error) => (rehearsal.isUncertainAt(id) ? leftOut(item) : Effect.fail(error)),
        onSuccess: (input) =>
          Effect.flatMap(look(input, item), (known) => {
            if (known === undefined) return cost === "cheap" ? work(inert()) : leftOut(item)
            rehearsal.take(id, known.saved)
            return Effect.succeed(known.done)
          })
      })
  }
}

class OpenStep implements StepProgress {
  discarded = false
  readonly written = new Set<string>()
  /** What the answers cost that were kept by an earlier attempt. */
  readonly saved: Array<Usage.Usage> = []
  private readonly key: string
  private state: unknown
  /** Whether an earlier attempt kept answers. */
  private readonly hadAnswers: boolean
  /** The keys of those that this attempt kept. */
  private readonly answered = new Set<string>()
  private readonly read: (key: string) => Effect.Effect<Option.Option<KeptStep>>
  private readonly write: (key: string, record: StepRecord, what: string) => Effect.Effect<void>

  constructor(key: string, state: unknown, read: OpenStep["read"], write: OpenStep["write"]) {
    this.key = key
    this.hadAnswers = isMarker(state)
    this.state = this.hadAnswers ? null : state
    this.read = read
    this.write = write
  }

  readonly noted = (): unknown => this.state

  readonly note = (value: unknown): Effect.Effect<void> =>
    Effect.suspend(() => {
      this.state = value
      return this.write(this.key, { kind: "progress", value }, "how far it came")
    })

  readonly answer = <A, E>(
    question: unknown,
    meter: Usage.Meter,
    ask: (charged: Usage.Meter) => Effect.Effect<A, E>
  ): Effect.Effect<A, E> =>
    Effect.gen(this, function* () {
      const key = StepKey.of([this.key, question])
      const mayBeKept = this.hadAnswers || this.answered.has(key)
      const before = mayBeKept ? Option.getOrUndefined(yield* this.read(key)) : undefined
      const kept = before?.kind === "result" ? readAnswer(before.value) : undefined
      if (kept !== undefined) {
        this.saved.push(...kept.usage)
        meter.save(kept.usage)
        return kept.answer as A
      }
      const own = new Usage.Meter(meter)
      const keep = (answer: A) =>
        Effect.gen(this, function* () {
          const isFirst = !this.hadAnswers && this.answered.size === 0
          this.answered.add(key)
          if (isFirst) {
            yield* this.write(this.key, { kind: "progress", value: marker }, "how far it came")
          }
          yield* this.write(key, { kind: "result", value: { answer, usage: Usage.toJson(own.all()) } }, "an answer")
        })
      return yield* Effect.uninterruptibleMask((restore) => Effect.tap(restore(ask(own)), keep))
    })

  readonly writes = (keys: Iterable<string>): void => {
    for (const key of keys) this.written.add(key)
  }

  readonly discard = (): void => {
    this.discarded = true
  }
}

/** Noted for a step of which single answers are kept: without it none are looked for. */
const marker = { answers: true }
const isMarker = (value: unknown): boolean =>
  typeof value === "object" && value !== null && "answers" in value && value.answers === true

const readAnswer = (value: unknown) =>
  typeof value === "object" && value !== null && "answer" in value
    ? { answer: value.answer, usage: Usage.fromJson((value as { readonly usage?: unknown }).usage) }
    : undefined

/** A kept result in the place of a step's work. */
export interface TakenOver {
  readonly done: Done
  readonly keptAt: number
  readonly saved: ReadonlyArray<Usage.Usage>
}

/** The kept result in this item; undefined where it does not fit, which only another program's record would not. */
const takenOver = (item: Content, { at, value }: KeptStep): TakenOver | undefined => {
  if (typeof value !== "object" || value === null) return undefined
  const { change, details, usage } = value as Readonly<Record<string, unknown>>
  const applied = StepChange.apply(item, change)
  if (applied === undefined) return undefined
  const noted = typeof details === "object" && details !== null && !Array.isArray(details) ? details : {}
  return {
    done: {
      item: withLogs(applied.item, applied.logs),
      details: { ...(noted as Done["details"]), from: "kept" }
    },
    keptAt: at,
    saved: Usage.fromJson(usage)
  }
}

const withLogs = (item: Content, logs: ReadonlyArray<ExecutorLogEntry>): Content =>
  logs.length === 0 ? item : { ...item, executor_logs: [...item.executor_logs, ...logs] }

/** A step that joins others late in their wait for the store, and is given up with them, goes on for 15 s of its own. */
const patience = Schedule.intersect(
  Schedule.exponential("100 millis"),
  Schedule.upTo(Schedule.forever, Duration.seconds(15))
)

/** The store's next answer, or that there was none in time. */
const patiently = <A>(call: Effect.Effect<A, ServiceError>): Effect.Effect<A, ServiceError | TookTooLong> =>
  call.pipe(
    Effect.retry({ schedule: patience, while: isTransient }),
    Effect.timeoutFail({
      duration: Duration.seconds(30),
      onTimeout: () => new TookTooLong({ message: "The store did not answer within 30 s." })
    }),
    // The time limit ends a call also where the run must not, and a run that is stopped meanwhile does not end it.
    Effect.interruptible,
    Effect.disconnect
  )

class TookTooLong extends Data.TaggedError("TookTooLong")<{ readonly message: string }> {}

// --- What a step reads when it does not say ---

/** Everything of the item but what differs from run to run: times, logs, usage, paths of temporary files. */
export const wholeItem = (run: RunFacts | undefined, { data, id, summary_data }: Content): unknown => {
  const { temp_file_path, ...others } = data
  const { usage: _, ...summary } = summary_data
  const name = id?.canonical_id ?? ""
  const document = temp_file_path === undefined ? null : fileOf(temp_file_path, name, run)
  const { last_modified: _1, ...metadata } = id?.metadata ?? {}
  return { id: id === null ? null : { ...id, metadata }, data: others, summary_data: summary, document }
}

/** The file is the document as it was found; one of which no version is known may be another in the next task. */
const fileOf = (path: unknown, name: string, run: RunFacts | undefined): unknown => {
  const found = run?.documents?.get(name)
  if (found?.etag != null) return { document: name, etag: found.etag }
  return found?.changedAt != null ? { path, changedAt: found.changedAt } : { path, task: run?.taskId ?? null }
}
