import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { VersionedPipeline } from "../domain/Pipeline.ts"
import * as Plan from "../pipeline/Plan.ts"
import * as PlanText from "../pipeline/PlanText.ts"
import { PipelineRunner } from "../pipeline/PipelineRunner.ts"
import * as Problem from "../pipeline/Problem.ts"
import { PipelineStore } from "../store/PipelineStore.ts"
import * as Place from "./operate/Place.ts"
import * as InputNode from "./run/InputNode.ts"
import * as LocalWorker from "./run/LocalWorker.ts"
import * as PipelineFile from "./run/PipelineFile.ts"
import * as ProblemLine from "./run/ProblemLine.ts"
import { wrongUsage } from "./WrongUsage.ts"

export interface ValidateOptions extends Pick<Place.Place, "azure" | "folder"> {
  /** `-` is standard input. */
  readonly files: ReadonlyArray<string>
  /** The pipelines of an installation instead. */
  readonly stored: boolean
  /** Prints the graphs on standard output, and the problems on standard error instead. */
  readonly graph: boolean
  /** Warnings count as errors. */
  readonly strict: boolean
  readonly format: ProblemFormat
}

/** How problems are written: for people and editors, as one JSON document, or as annotations of GitHub Actions. */
export type ProblemFormat = "text" | "json" | "github"

/** There are errors; each was told. */
export class ValidationFailed extends Schema.TaggedError<ValidationFailed>()("ValidationFailed", {
  message: Schema.String
}) {}

/** Checks files as the worker checks stored pipelines, each able to use the others as children; or what is stored. */
export const validate = (options: ValidateOptions) =>
  Effect.gen(function* () {
    const { azure, files, folder, stored } = options
    if (stored && files.length > 0) return yield* wrongUsage("Give files or --stored, and not both.")
    if (!stored && files.length === 0)
      return yield* wrongUsage("Missing argument <FILE>. --stored checks what is stored.")
    if (!stored && (azure || Option.isSome(folder))) {
      return yield* wrongUsage("--folder and --azure say where the pipelines of --stored are.")
    }
    return yield* stored ? checkStored(options) : checkFiles(options)
  })

const checkFiles = (options: ValidateOptions) =>
  Effect.gen(function* () {
    const read = yield* Effect.forEach(options.files, PipelineFile.read)
    const valid = read.filter(({ names }) => names.length > 0)
    const checked = yield* Effect.provide(
      Effect.forEach(read, check),
      LocalWorker.layer(valid.map(({ pipeline }) => pipeline()))
    )
    return yield* told(checked, "file", options)
  })

const checkStored = (options: ValidateOptions) =>
  Effect.gen(function* () {
    const found = yield* Effect.flatMap(PipelineStore, ({ all }) => all)
    const named = (each: (typeof found)[number]) => Either.match(each, { onLeft: () => "", onRight: nameOf })
    const sorted = found.toSorted((a, b) => (named(a) < named(b) ? -1 : 1))
    const checked = yield* Effect.forEach(
      sorted,
      Either.match({
        onLeft: ({ message, operation }) =>
          Effect.succeed<Checked>({ file: operation, problems: [errorOf(message)], plans: [] }),
        onRight: checkPipeline
      })
    )
    return yield* told(checked, "stored pipeline", options)
  }).pipe(Place.onStores(options))

const nameOf = ({ pipeline }: VersionedPipeline): string => `${pipeline.name} (${pipeline.id})`

/** The one of its text that runs, and no other that stands there. */
const checkPipeline = (stored: VersionedPipeline) =>
  Effect.gen(function* () {
    const runner = yield* PipelineRunner
    const { plan, problems } = yield* runner.check(stored)
    const all = [...problems, ...(plan === undefined || Problem.hasErrors(problems) ? [] : problemsOfRun(plan))]
    return {
      file: nameOf(stored),
      problems: withoutRepetitions(all).toSorted(Problem.byPlace),
      plans: plan === undefined ? [] : [plan]
    } satisfies Checked
  })

const told = (
  checked: ReadonlyArray<Checked>,
  what: string,
  { format, graph, strict }: Pick<ValidateOptions, "format" | "graph" | "strict">
) =>
  Effect.gen(function* () {
    const tell = graph ? Console.error : Console.log
    if (format === "json") yield* tell(jsonOf(checked))
    else {
      const print = format === "github" ? ProblemLine.annotation : ProblemLine.print
      for (const { file, problems } of checked) for (const problem of problems) yield* tell(print(file, problem))
    }
    if (graph) yield* printGraphs(checked)
    if (format === "text") yield* tellCrawls(checked)
    const summary = summaryOf(checked, what)
    const failed = checked.some(({ problems }) => (strict ? problems.length > 0 : Problem.hasErrors(problems)))
    return yield* failed ? new ValidationFailed({ message: summary }) : Console.error(summary)
  })

/** Says of each pipeline that can run where its documents may come from. */
const tellCrawls = (checked: ReadonlyArray<Checked>) =>
  Effect.forEach(
    checked.flatMap(({ file, plans, problems }) =>
      Problem.hasErrors(problems) ? [] : plans.map((plan) => ({ file, plan }))
    ),
    ({ file, plan }) => {
      const input = InputNode.of(plan)
      const where = file.startsWith(plan.name) ? file : `${plan.name} in ${file}`
      return Console.error(
        ProblemLine.plain(
          input === undefined
            ? `${where}: not crawlable, since no node finds documents.`
            : `${where}: crawlable by ${input.id} (${input.type}).`
        )
      )
    },
    { discard: true }
  )

interface Checked {
  readonly file: string
  readonly problems: ReadonlyArray<Problem.Problem>
  readonly plans: ReadonlyArray<Plan.Plan>
}

const check = (file: PipelineFile.PipelineFile) =>
  Effect.gen(function* () {
    const runner = yield* PipelineRunner
    // A text that is no definition may still be reviewed.
    const checked = file.names.length === 0 ? [undefined] : file.names
    const compiled = yield* Effect.forEach(file.isRead ? checked : [], (name) => runner.check(file.pipeline(name)))
    const problems = [
      ...file.problems,
      ...compiled.flatMap((one) => one.problems),
      ...compiled.flatMap(({ plan, problems }) =>
        plan === undefined || Problem.hasErrors(problems) ? [] : problemsOfRun(plan)
      )
    ]
    return {
      file: file.file,
      problems: withoutRepetitions(problems).toSorted(Problem.byPlace),
      plans: compiled.flatMap(({ plan }) => plan ?? [])
    } satisfies Checked
  })

/** What the first task of a valid pipeline would end in. */
const problemsOfRun = (plan: Plan.Plan): ReadonlyArray<Problem.Problem> =>
  Either.match(Plan.runnable(plan, InputNode.of(plan)?.id ?? null), {
    onLeft: ({ message }) => [errorOf(message)],
    onRight: () => []
  })

const errorOf = (message: string): Problem.Problem => ({
  severity: "error",
  message,
  path: "",
  line: null,
  column: null
})

/** Every pipeline of a file tells the problems of the file's form, and those of the children that it shares with others. */
const withoutRepetitions = (problems: ReadonlyArray<Problem.Problem>): Array<Problem.Problem> => [
  ...new Map(problems.map((problem) => [JSON.stringify(problem), problem])).values()
]

const printGraphs = (checked: ReadonlyArray<Checked>) => {
  const graphs = checked.flatMap(({ file, plans }) => plans.map((plan) => ({ file, plan })))
  return Effect.forEach(
    graphs,
    ({ file, plan }) =>
      Console.log(
        graphs.length === 1
          ? PlanText.toMermaid(plan)
          : `%% ${ProblemLine.plain(`${plan.name} (${file})`)}\n${PlanText.toMermaid(plan)}`
      ),
    { discard: true }
  )
}

const jsonOf = (checked: ReadonlyArray<Checked>): string =>
  JSON.stringify(
    checked.flatMap(({ file, problems }) => problems.map((problem) => ({ file, ...problem }))),
    null,
    2
  )

const summaryOf = (checked: ReadonlyArray<Checked>, what: string): string => {
  const count = (severity: Problem.Problem["severity"]) =>
    checked.flatMap(({ problems }) => problems).filter((problem) => problem.severity === severity).length
  return `${plural(checked.length, what)}: ${plural(count("error"), "error")}, ${plural(count("warning"), "warning")}`
}

const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? "" : "s"}`
