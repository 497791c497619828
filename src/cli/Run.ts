import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as MonotonicTime from "../concurrency/MonotonicTime.ts"
import { ExecutorId } from "../domain/Ids.ts"
import * as RunFiles from "../executor/RunFiles.ts"
import { PipelineRunner } from "../pipeline/PipelineRunner.ts"
import type { Plan } from "../pipeline/Plan.ts"
import * as Problem from "../pipeline/Problem.ts"
import * as Documents from "./run/Documents.ts"
import * as InputNode from "./run/InputNode.ts"
import * as Items from "./run/Items.ts"
import * as LocalCatalog from "./run/LocalCatalog.ts"
import * as LocalWorker from "./run/LocalWorker.ts"
import * as PipelineFile from "./run/PipelineFile.ts"
import * as ProblemLine from "./run/ProblemLine.ts"
import * as ProgressBar from "./run/ProgressBar.ts"
import * as Results from "./run/Results.ts"
import { RunFailed } from "./run/RunFailed.ts"
import * as Summary from "./run/Summary.ts"
import { wrongUsage } from "./WrongUsage.ts"

export interface RunOptions {
  /** The file with the pipeline; `-` is standard input, too. */
  readonly file: string
  /** Which of the file's pipelines; the first when absent. */
  readonly pipeline: Option.Option<string>
  /** A JSON file of items; `-` is standard input. */
  readonly items: Option.Option<string>
  /** A folder, each file of which becomes an item. */
  readonly documents: Option.Option<string>
  /** A folder for the results instead of standard output. */
  readonly output: Option.Option<string>
  /** The node whose work the items are. */
  readonly exclude: Option.Option<string>
}

/**
 * Runs a pipeline once in this process, as a worker would run a task with these items: where the pipeline begins with an executor
 * that lists documents, the items are what it found. Results go to standard output, all else to standard error.
 */
export const run = (options: RunOptions, progress = ProgressBar.make()) =>
  Effect.gen(function* () {
    if (options.file === "-" && Option.contains(options.items, "-")) {
      return yield* wrongUsage("Standard input can't be both the pipeline and the items: name a file for one of them.")
    }
    const file = yield* PipelineFile.read(options.file)
    const version = yield* choose(file, options.pipeline)
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const surroundings: LocalCatalog.Surroundings = {
      documents: Option.getOrNull(Option.map(options.documents, (folder) => path.resolve(folder))),
      temporaryFolder: yield* Effect.mapError(
        fs.makeTempDirectoryScoped({ prefix: "contentflow-run-" }),
        (error) => new RunFailed({ message: `There is no place for temporary files: ${error.message}` })
      ),
      listener: progress.listener
    }
    return yield* Effect.provide(
      execute(options, version, progress),
      LocalWorker.layer([version], LocalCatalog.of(surroundings))
    )
  }).pipe(Effect.scoped, Effect.provide(Logger.replace(Logger.defaultLogger, progress.logger)))

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

const execute = (
  options: RunOptions,
  version: ReturnType<PipelineFile.PipelineFile["pipeline"]>,
  progress: ProgressBar.ProgressBar
) =>
  Effect.gen(function* () {
    const runner = yield* PipelineRunner
    const { plan, problems } = yield* runner.check(version)
    yield* tell(options.file, problems)
    if (plan === undefined) {
      return yield* new RunFailed({ message: `The pipeline ${version.pipeline.name} can't run.` })
    }
    const exclude = yield* excluded(plan, options)
    const items = yield* itemsOf(plan, options)
    const files = RunFiles.make(Option.toArray(options.documents), yield* Items.filesOf(items))
    const startedAt = yield* MonotonicTime.now
    const finished = Effect.map(MonotonicTime.now, (now) => ({
      pipeline: plan.name,
      itemsIn: items.length,
      millis: now - startedAt
    }))
    const nodes = plan.drawing.nodes.flatMap(({ enabled, id }) => (enabled && id !== exclude ? id : []))
    const result = yield* Effect.zipRight(progress.show(nodes), runner.run(plan, items, { exclude, files })).pipe(
      Effect.scoped,
      Effect.catchTags({
        PipelineInvalid: ({ message }) => new RunFailed({ message }),
        RunFailure: ({ error, nodes }) =>
          Effect.gen(function* () {
            yield* Console.error(Summary.print({ ...(yield* finished), items: null, nodes }))
            return yield* new RunFailed({ message: `The run failed in ${error.executorId}: ${error.message}` })
          })
      })
    )
    yield* Option.match(options.output, {
      onNone: () => Results.print(result.items),
      onSome: (folder) => Results.write(result.items, folder)
    })
    yield* Console.error(Summary.print({ ...(yield* finished), ...result }))
  })

const excluded = (plan: Plan, options: RunOptions) =>
  Effect.gen(function* () {
    if (Option.isSome(options.exclude)) {
      const name = options.exclude.value
      if (plan.drawing.nodes.some(({ id }) => id === name)) return ExecutorId.make(name, true)
      const ids = plan.drawing.nodes.map(({ id }) => id).join(", ")
      return yield* wrongUsage(`--exclude ${name}: the pipeline ${plan.name} has no such executor. It has: ${ids}`)
    }
    const input = InputNode.of(plan)
    if (input?.begins !== true) return null
    if (Option.isSome(options.items) || Option.isSome(options.documents)) {
      yield* Console.error(`The items take the place of what ${input.id} (${input.type}) would list.`)
    }
    return input.id
  })

const itemsOf = (plan: Plan, options: RunOptions) => {
  if (Option.isSome(options.items)) return Items.read(options.items.value)
  if (Option.isSome(options.documents)) return Documents.read(options.documents.value)
  const input = InputNode.of(plan)
  const why =
    input?.begins === true
      ? `The pipeline begins with ${input.id} (${input.type}), which lists documents for a vault; here nothing is listed.`
      : "There are no items to run."
  return wrongUsage(
    `${why} Give the documents with --documents DIR (one item per file), or the items with --items FILE (a JSON list, - for standard input).`
  )
}

const tell = (file: string, problems: ReadonlyArray<Problem.Problem>) =>
  Effect.forEach(problems.toSorted(Problem.byPlace), (problem) => Console.error(ProblemLine.print(file, problem)), {
    discard: true
  })
