import * as FileSystem from "@effect/platform/FileSystem"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { resolve } from "node:path"
import * as MonotonicTime from "../concurrency/MonotonicTime.ts"
import { ExecutorId } from "../domain/Ids.ts"
import { Catalog } from "../executor/Catalog.ts"
import * as RunFiles from "../executor/RunFiles.ts"
import { PipelineRunner } from "../pipeline/PipelineRunner.ts"
import type { Plan } from "../pipeline/Plan.ts"
import * as Problem from "../pipeline/Problem.ts"
import * as Parallelism from "./Parallelism.ts"
import * as Batch from "./run/Batch.ts"
import * as DocumentPaths from "./run/DocumentPaths.ts"
import * as DocumentProgress from "./run/DocumentProgress.ts"
import * as DocumentResult from "./run/DocumentResult.ts"
import * as InputNode from "./run/InputNode.ts"
import * as Items from "./run/Items.ts"
import * as Journal from "./run/Journal.ts"
import * as LocalCatalog from "./run/LocalCatalog.ts"
import * as LocalDocument from "./run/LocalDocument.ts"
import * as LocalWorker from "./run/LocalWorker.ts"
import * as NodeProgress from "./run/NodeProgress.ts"
import * as OutputFolder from "./run/OutputFolder.ts"
import type { OutputFormat } from "./run/OutputFormat.ts"
import * as PipelineFile from "./run/PipelineFile.ts"
import * as ProblemLine from "./run/ProblemLine.ts"
import * as ProgressBar from "./run/ProgressBar.ts"
import * as ProjectStorage from "./run/ProjectStorage.ts"
import * as Results from "./run/Results.ts"
import { RunFailed } from "./run/RunFailed.ts"
import * as Summary from "./run/Summary.ts"
import * as TemporaryFiles from "./run/TemporaryFiles.ts"
import * as StandardStreams from "./StandardStreams.ts"
import { wrongUsage } from "./WrongUsage.ts"

export interface RunOptions {
  /** The file with the pipeline; `-` is standard input, too. */
  readonly file: string
  /** Files, folders and patterns: the documents. */
  readonly paths: ReadonlyArray<string>
  /** Which of the file's pipelines; the first when absent. */
  readonly pipeline: Option.Option<string>
  /** A JSON file of items; `-` is standard input. */
  readonly items: Option.Option<string>
  /** A folder of documents. */
  readonly documents: Option.Option<string>
  /** A folder for the results instead of standard output. */
  readonly output: Option.Option<string>
  /** The node whose work the items are. */
  readonly exclude: Option.Option<string>
  readonly format: OutputFormat
  /** One JSON line a document on standard output. */
  readonly json: boolean
  /** Documents that are worked on at the same time; by default what the machine is good for. */
  readonly jobs: Option.Option<number>
  /** Leaves documents whose result is in the output folder already. */
  readonly resume: boolean
  /** All documents in one run, as the items of one task. */
  readonly together: boolean
}

/** Some documents failed. */
const someFailed = 3

/**
 * Runs a pipeline in this process, as a worker would: where the pipeline begins with an executor that lists documents, the documents of the command line are what it
 * found. Results go to standard output or into a folder, all else to standard error. Gives the exit code.
 */
export const run = (options: RunOptions, progress = ProgressBar.make()) =>
  Effect.gen(function* () {
    yield* checkUsage(options)
    const file = yield* PipelineFile.read(options.file)
    const version = yield* choose(file, options.pipeline)
    const fs = yield* FileSystem.FileSystem
    const nodes = NodeProgress.make()
    const temporaryFolder = yield* Effect.mapError(
      fs.makeTempDirectoryScoped({ prefix: "contentflow-run-" }),
      (error) => new RunFailed({ message: `There is no place for temporary files: ${error.message}` })
    )
    const storage = yield* ProjectStorage.find(options.file, temporaryFolder)
    return yield* Effect.provide(
      execute({ options, version, progress, nodes, finish: yield* TemporaryFiles.remover(temporaryFolder) }),
      LocalWorker.layer([version], { adapt: LocalCatalog.of({ temporaryFolder, listener: nodes.listener }), storage })
    )
  }).pipe(Effect.scoped, Effect.provide(Logger.replace(Logger.defaultLogger, progress.logger)))

const checkUsage = (options: RunOptions) =>
  Effect.gen(function* () {
    if (options.file === "-" && Option.contains(options.items, "-")) {
      return yield* wrongUsage("Standard input can't be both the pipeline and the items: name a file for one of them.")
    }
    const hasItems = Option.isSome(options.items)
    if (hasItems && (options.paths.length > 0 || Option.isSome(options.documents))) {
      return yield* wrongUsage("Give either items (--items) or documents, not both.")
    }
    const missing = yield* DocumentPaths.missing(wordsOf(options))
    if (missing !== undefined) return yield* wrongUsage(`${missing}: there is no such file or folder.`)
    if (options.resume && Option.isNone(options.output)) {
      return yield* wrongUsage("--resume looks into the folder of --output for what is done already: give one.")
    }
    if (options.resume && (hasItems || options.together)) {
      return yield* wrongUsage(
        `--resume leaves single documents out, which ${hasItems ? "--items" : "--together"} has none of.`
      )
    }
  })

const wordsOf = ({ documents, paths }: RunOptions): ReadonlyArray<string> => [...paths, ...Option.toArray(documents)]

const choose = (file: PipelineFile.PipelineFile, wanted: Option.Option<string>) =>
  Effect.gen(function* () {
    yield* tell(file.file, file.names.length === 0 ? file.problems : [])
    if (file.names.length === 0) {
      return yield* new RunFailed({ message: `There is no valid pipeline in ${file.file}.` })
    }
    const name = Option.getOrUndefined(wanted)
    if (name === undefined || file.names.includes(name)) return file.pipeline(name)
    return yield* wrongUsage(
      `--pipeline ${name}: there is no such pipeline in ${file.file}. It has: ${file.names.join(", ")}`
    )
  })

/** What both ways to run need. */
interface Given {
  readonly options: RunOptions
  readonly version: ReturnType<PipelineFile.PipelineFile["pipeline"]>
  readonly progress: ProgressBar.ProgressBar
  readonly nodes: NodeProgress.NodeProgress
  readonly finish: TemporaryFiles.Remover
}

const execute = (given: Given) =>
  Effect.gen(function* () {
    const { options, version } = given
    const runner = yield* PipelineRunner
    const { plan, problems } = yield* runner.check(version)
    yield* tell(options.file, problems)
    if (plan === undefined) {
      return yield* new RunFailed({ message: `The pipeline ${version.pipeline.name} can't run.` })
    }
    const exclude = yield* excluded(plan, options)
    if (Option.isSome(options.items)) {
      const items = yield* Items.read(options.items.value)
      return yield* runTogether(given, plan, exclude, items, yield* Items.filesOf(items))
    }
    const words = wordsOf(options)
    if (words.length === 0) return yield* withoutDocuments(plan)
    const output = Option.getOrNull(Option.map(options.output, (folder) => resolve(folder)))
    const found = yield* DocumentPaths.find(words, output)
    yield* Effect.forEach(found.notes, (note) => Console.error(ProblemLine.plain(`${note}.`)), { discard: true })
    if (yield* isTogether(plan, options)) {
      const [unread] = found.unreadable
      if (unread !== undefined) return yield* new RunFailed({ message: `${unread.name}/: ${unread.reason}` })
      const items = yield* Effect.forEach(
        found.documents,
        (document) =>
          Effect.mapBoth(LocalDocument.stateOf(document), {
            onFailure: (reason) => new RunFailed({ message: `${document.name}: ${reason}` }),
            onSuccess: (state) => LocalDocument.itemOf(document, state)
          }),
        { concurrency: 16 }
      )
      return yield* runTogether(
        given,
        plan,
        exclude,
        items,
        found.documents.map(({ path }) => path)
      )
    }
    return yield* runEach(given, plan, exclude, found)
  })

/** Steps that compare or collect documents have nothing to work with when each comes alone. */
const isTogether = (plan: Plan, options: RunOptions) =>
  Effect.gen(function* () {
    if (options.together) return true
    const catalog = yield* Catalog
    const node = plan.graph.nodes.find(
      ({ enabled, type }) => enabled && Option.exists(catalog.find(type), ({ category }) => category === "document_set")
    )
    if (node === undefined) return false
    yield* Console.error(
      `All documents go through the pipeline together, since ${node.id} (${node.type}) works on sets of them.`
    )
    if (options.resume)
      return yield* wrongUsage("--resume leaves single documents out, and this pipeline takes all of them together.")
    return true
  })

/** Each document by itself. */
const runEach = (
  { finish, options, progress, version }: Given,
  plan: Plan,
  exclude: ExecutorId | null,
  { documents, unreadable }: DocumentPaths.DocumentPaths
) =>
  Effect.gen(function* () {
    const kept = yield* Option.match(options.output, {
      onNone: () => Effect.succeed(null),
      onSome: (folder) =>
        Effect.gen(function* () {
          const output = yield* OutputFolder.make(folder, options.format)
          const key = Journal.keyOf([version.pipeline.yaml, version.pipeline.name, exclude, options.format])
          return { output, journal: yield* Journal.open(folder, key, options.resume) }
        })
    })
    const tally = DocumentResult.emptyTally()
    const totals = new Map<string, Summary.NodeTotals>()
    const shown = DocumentProgress.make(documents.length)
    const startedAt = yield* MonotonicTime.now
    const ended = (result: DocumentResult.DocumentResult) => {
      tally[result.status]++
      Summary.add(totals, result.nodes)
      return Option.match(DocumentResult.line(result), { onNone: () => Effect.void, onSome: progress.say })
    }
    yield* Effect.forEach(
      unreadable,
      ({ name, reason }) => {
        tally.failed++
        return progress.say(ProblemLine.plain(`✗ ${name}/: ${reason}`))
      },
      { discard: true }
    )
    const summary = (went: string) =>
      Effect.flatMap(MonotonicTime.now, (now) =>
        Console.error(
          Summary.print({
            pipeline: plan.name,
            result: `${documents.length} ${documents.length === 1 ? "document" : "documents"}, ${DocumentResult.counts(tally)}${went}`,
            nodes: totals.values(),
            millis: now - startedAt
          })
        )
      )
    const results = Batch.run(documents, {
      plan,
      exclude,
      format: options.format,
      jobs: Option.getOrElse(options.jobs, Parallelism.usual),
      kept,
      progress: shown,
      finish,
      ended
    })
    const printer = Results.printer(options, documents.length)
    yield* progress.show(shown.text).pipe(
      Effect.zipRight(
        Stream.runForEachWhile(results, (result) =>
          Effect.zipRight(progress.clear, Effect.as(printer.print(result), !StandardStreams.isReaderGone()))
        )
      ),
      Effect.scoped,
      Effect.ensuring(printer.end),
      Effect.onInterrupt(() => summary(", interrupted"))
    )
    yield* summary("")
    return tally.failed === 0 ? 0 : someFailed
  })

/** All items in one run, as a worker runs one task with them. */
const runTogether = (
  { finish, nodes: nodeProgress, options, progress }: Given,
  plan: Plan,
  exclude: ExecutorId | null,
  items: Parameters<PipelineRunner["Type"]["run"]>[1],
  own: ReadonlyArray<string>
) =>
  Effect.gen(function* () {
    const runner = yield* PipelineRunner
    const output = yield* Option.match(options.output, {
      onNone: () => Effect.succeed(null),
      onSome: (folder) => OutputFolder.make(folder, options.format)
    })
    const startedAt = yield* MonotonicTime.now
    const summary = (result: string, nodes: Parameters<typeof Summary.add>[1]) =>
      Effect.flatMap(MonotonicTime.now, (now) => {
        const totals = new Map<string, Summary.NodeTotals>()
        Summary.add(totals, nodes)
        return Console.error(
          Summary.print({
            pipeline: plan.name,
            result: `${items.length} items in, ${result}`,
            nodes: totals.values(),
            millis: now - startedAt
          })
        )
      })
    const ids = plan.graph.nodes.flatMap(({ enabled, id }) => (enabled && id !== exclude ? id : []))
    const ran = yield* progress.show(nodeProgress.textOf(ids)).pipe(
      Effect.zipRight(runner.run(plan, items, { exclude, files: RunFiles.make([], own) })),
      Effect.scoped,
      Effect.catchTags({
        PipelineInvalid: ({ message }) => new RunFailed({ message }),
        RunFailure: ({ error, nodes }) =>
          Effect.zipRight(
            summary("failed", nodes),
            new RunFailed({ message: `The run failed in ${error.executorId}: ${error.message}` })
          )
      })
    )
    const tally = DocumentResult.emptyTally()
    const printer = Results.printer(options, ran.items.length)
    const places = OutputFolder.placesOf(ran.items.map(OutputFolder.nameOf))
    yield* Effect.forEach(
      ran.items,
      (given, index) =>
        Effect.gen(function* () {
          const item = finish(given)
          const result = DocumentResult.ofItem(item, options.format)
          tally[result.status]++
          if (result.status !== "completed") {
            yield* Option.match(DocumentResult.line(result), { onNone: () => Effect.void, onSome: Console.error })
          }
          const outputs = output === null ? [] : yield* output.write(places[index] ?? `${index}`, [item])
          yield* printer.print({ ...result, outputs, items: outputs.length > 0 ? [] : [item] })
        }),
      { discard: true }
    ).pipe(Effect.zipRight(printer.end))
    for (const { error, executorId } of ran.nodes) {
      if (error !== null) yield* Console.error(ProblemLine.plain(`${executorId}: ${error}`))
    }
    yield* summary(`${ran.items.length} out`, ran.nodes)
    return tally.failed === 0 ? 0 : someFailed
  })

const excluded = (plan: Plan, options: RunOptions) =>
  Effect.gen(function* () {
    if (Option.isSome(options.exclude)) {
      const name = options.exclude.value
      if (plan.graph.nodes.some(({ id }) => id === name)) return ExecutorId.make(name, true)
      const ids = plan.graph.nodes.map(({ id }) => id).join(", ")
      return yield* wrongUsage(`--exclude ${name}: the pipeline ${plan.name} has no such executor. It has: ${ids}`)
    }
    const input = InputNode.of(plan)
    if (input?.begins !== true) return null
    if (Option.isSome(options.items) || Option.isSome(options.documents) || options.paths.length > 0) {
      yield* Console.error(`The documents take the place of what ${input.id} (${input.type}) would list.`)
    }
    return input.id
  })

const withoutDocuments = (plan: Plan) => {
  const input = InputNode.of(plan)
  const why =
    input?.begins === true
      ? `The pipeline begins with ${input.id} (${input.type}), which lists documents for a vault; here nothing is listed.`
      : "There are no items to run."
  return wrongUsage(
    `${why} Name documents behind the pipeline (files, folders, 'docs/**/*.pdf') or with --documents DIR, or give items with --items FILE (a JSON list, - for standard input).`
  )
}

const tell = (file: string, problems: ReadonlyArray<Problem.Problem>) =>
  Effect.forEach(problems.toSorted(Problem.byPlace), (problem) => Console.error(ProblemLine.print(file, problem)), {
    discard: true
  })
