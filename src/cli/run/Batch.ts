import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as MonotonicTime from "../../concurrency/MonotonicTime.ts"
import type { Content } from "../../domain/Content.ts"
import type { ExecutorId } from "../../domain/Ids.ts"
import * as RunFiles from "../../executor/RunFiles.ts"
import { PipelineRunner } from "../../pipeline/PipelineRunner.ts"
import type { Plan } from "../../pipeline/Plan.ts"
import type { DocumentProgress } from "./DocumentProgress.ts"
import * as DocumentResult from "./DocumentResult.ts"
import type { Journal } from "./Journal.ts"
import * as LocalDocument from "./LocalDocument.ts"
import * as OutputFolder from "./OutputFolder.ts"
import type { OutputFormat } from "./OutputFormat.ts"
import { RunFailed } from "./RunFailed.ts"

export interface Options {
  readonly plan: Plan
  readonly exclude: ExecutorId | null
  readonly format: OutputFormat
  /** Documents that are worked on at the same time. */
  readonly jobs: number
  /** Where results go, and what was done there before; without it they are only in what the stream gives. */
  readonly kept: { readonly output: OutputFolder.OutputFolder; readonly journal: Journal } | null
  readonly progress: DocumentProgress
  /** Takes out of an item what means nothing behind its run. */
  readonly finish: (item: Content) => Content
  /** Hears of each result as soon as it is there. */
  readonly ended: (result: DocumentResult.DocumentResult) => Effect.Effect<void>
}

/**
 * Runs the pipeline for every document by itself, as a worker runs a task for each, so that one that fails costs no other anything. The results
 * come in the order of the documents; only what is about the whole run fails the stream.
 */
export const run = (
  documents: ReadonlyArray<LocalDocument.LocalDocument>,
  options: Options
): Stream.Stream<DocumentResult.DocumentResult, RunFailed, PipelineRunner> => {
  const places = OutputFolder.placesOf(documents.map(({ name }) => name))
  return Stream.fromIterable(documents).pipe(
    Stream.zipWithIndex,
    Stream.mapEffect(([document, index]) => one(document, places[index] ?? document.name, options), {
      concurrency: options.jobs
    })
  )
}

const one = (document: LocalDocument.LocalDocument, place: string, options: Options) =>
  Effect.gen(function* () {
    const startedAt = yield* MonotonicTime.now
    options.progress.started(document.name)
    const done = options.kept === null ? Option.none() : yield* options.kept.journal.done(document)
    const result = Option.isSome(done)
      ? ({ ...blank, status: "skipped", outputs: done.value } as const)
      : yield* processed(document, place, options)
    const ended: DocumentResult.DocumentResult = {
      ...result,
      name: document.name,
      path: document.path,
      millis: (yield* MonotonicTime.now) - startedAt
    }
    options.progress.ended(document.name, ended.status !== "skipped")
    yield* options.ended(ended)
    // What a file holds need not be held here as well.
    return ended.outputs.length > 0 ? { ...ended, items: [] } : ended
  })

type Result = Omit<DocumentResult.DocumentResult, "millis" | "name" | "path">

const blank = { error: null, warnings: [], items: [], outputs: [], nodes: [] } as const

const processed = (
  document: LocalDocument.LocalDocument,
  place: string,
  { exclude, finish, format, kept, plan }: Options
): Effect.Effect<Result, RunFailed, PipelineRunner> =>
  Effect.gen(function* () {
    const runner = yield* PipelineRunner
    const failed = (error: string): Result => ({ ...blank, status: "failed", error })
    const looked = yield* Effect.either(
      Effect.gen(function* () {
        // The version that the result is noted for is the one from before: a document that changes meanwhile is done again.
        const version = kept === null ? null : yield* LocalDocument.versionOf(document)
        return { state: version ?? (yield* LocalDocument.stateOf(document)), version }
      })
    )
    if (Either.isLeft(looked)) return failed(looked.left)
    const { state, version } = looked.right
    const item = LocalDocument.itemOf(document, state)
    const files = RunFiles.make([], [document.path])
    const ran = yield* runner.run(plan, [item], { exclude, files }).pipe(
      Effect.map(Either.right),
      Effect.catchTags({
        PipelineInvalid: ({ message }) => new RunFailed({ message }),
        RunFailure: (failure) => Effect.succeed(Either.left(failure))
      })
    )
    if (Either.isLeft(ran)) {
      const { error, nodes } = ran.left
      return { ...failed(`${error.executorId}: ${error.message}`), nodes }
    }
    const items = ran.right.items.map(finish)
    const judged = DocumentResult.judge(items, format)
    const outputs = kept === null ? [] : yield* kept.output.write(place, items)
    const { status } = judged
    if (kept !== null && version !== null && (status === "completed" || status === "without_text")) {
      yield* kept.journal.note(document, version, { outputs, status })
    }
    return { ...judged, items, outputs, nodes: ran.right.nodes }
  })
