import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import { WorkerConfig } from "../config/WorkerConfig.ts"
import type { Content } from "../domain/Content.ts"
import { type ExecutorId, PipelineId } from "../domain/Ids.ts"
import type { ChildPipeline, VersionedPipeline } from "../domain/Pipeline.ts"
import type { ServiceError } from "../domain/ServiceError.ts"
import { Catalog } from "../executor/Catalog.ts"
import type { RunFacts } from "../executor/RunFacts.ts"
import * as RunFiles from "../executor/RunFiles.ts"
import { PipelineStore } from "../store/PipelineStore.ts"
import * as StepResults from "../store/StepResults.ts"
import * as ChildLookup from "./ChildLookup.ts"
import * as Compiler from "./Compiler.ts"
import * as Plan from "./Plan.ts"
import * as Problem from "./Problem.ts"
import * as Review from "./Review.ts"
import * as GraphRunner from "./GraphRunner.ts"
import type { RunFailure, RunResult, RunWatcher } from "./RunReport.ts"

export type { InputExecutor } from "./Plan.ts"
export { PipelineInvalid, type Problem } from "./Problem.ts"
export type { NodeReport, RunFailure, RunResult, RunWatcher } from "./RunReport.ts"

export interface RunOptions {
  /** The node whose work the crawl did already; it becomes a virtual source that emits the items to its successors. */
  readonly exclude: ExecutorId | null
  /** The task behind the run, for the nodes. */
  readonly facts?: RunFacts
  /** What the run may use of this machine beside the folders of `LOCAL_ROOTS`. */
  readonly files?: RunFiles.RunFiles
  readonly watcher?: RunWatcher
}

/** From a stored pipeline to a run: reads, checks, compiles (once per version) and executes definitions. */
export class PipelineRunner extends Context.Tag("contentflow-worker/pipeline/PipelineRunner")<
  PipelineRunner,
  {
    /** Everything that is wrong with a pipeline or hardly meant, and its plan unless an error prevents one. Not cached. */
    readonly check: (pipeline: VersionedPipeline) => Effect.Effect<Compiler.Compiled, ServiceError>
    /** The plan of this version, cached by id and ETag. ServiceError only when a child pipeline could not be read. */
    readonly compile: (pipeline: VersionedPipeline) => Effect.Effect<Plan.Plan, Problem.PipelineInvalid | ServiceError>
    /** The pipeline with the stored ones that it uses, as they are now: it runs with these whatever becomes of them. */
    readonly withChildren: (pipeline: VersionedPipeline) => Effect.Effect<VersionedPipeline, ServiceError>
    /** The executor that crawls for this pipeline, or none when no executor of it can. */
    readonly inputExecutor: (
      pipeline: VersionedPipeline
    ) => Effect.Effect<Option.Option<Plan.InputExecutor>, Problem.PipelineInvalid | ServiceError>
    /** Runs the plan. Interruption reaches every node. PipelineInvalid only for what depends on the excluded node. */
    readonly run: (
      plan: Plan.Plan,
      items: ReadonlyArray<Content>,
      options: RunOptions
    ) => Effect.Effect<RunResult, RunFailure | Problem.PipelineInvalid>
  }
>() {}

/** Plans (or what is wrong with them) that are kept; the one that was used longest ago goes first. */
const maxPlans = 500

interface Known {
  readonly version: VersionedPipeline
  readonly children: ReadonlyArray<ChildPipeline>
  readonly result: Either.Either<Plan.Plan, Problem.PipelineInvalid>
}

const make = Effect.gen(function* () {
  const catalog = yield* Catalog
  const store = yield* PipelineStore
  const { localRoots, pipelineEnvAllowlist } = yield* WorkerConfig
  const provider = yield* Effect.configProviderWith(Effect.succeed)
  const variables = { allowed: new Set(pipelineEnvAllowlist), provider }
  const kept = yield* StepResults.StepResults
  const stepResults = kept === null ? null : yield* StepResults.patient(kept)
  const plans = new Map<PipelineId, Known>()

  const compiled = (pipeline: VersionedPipeline) =>
    Compiler.compile(pipeline, {
      catalog,
      store: pipeline.children === undefined ? store : ChildLookup.asItWas(pipeline.children, store),
      variables
    })

  /** A child may change without its parent; like the parent it is looked at before every run, which costs no more than a 304. */
  const isCurrent = (child: ChildPipeline): Effect.Effect<boolean, ServiceError> =>
    Effect.map(
      child.by === "name"
        ? store.findByName(child.key)
        : store.find(PipelineId.make(child.key, true), child.found ?? undefined),
      Option.match({
        onNone: () => child.found === null,
        onSome: (now) => child.found !== null && isSame(now, child.found)
      })
    )

  const hasChildren = ({ children }: Known, wanted: VersionedPipeline["children"]) =>
    wanted === undefined ? Effect.every(children, isCurrent) : Effect.succeed(areSame(children, wanted))

  const knownOf = Effect.fnUntraced(function* (version: VersionedPipeline) {
    const before = plans.get(version.pipeline.id)
    if (
      before !== undefined &&
      isSame(before.version, version) &&
      (before.children.length === 0 || (yield* hasChildren(before, version.children)))
    ) {
      plans.delete(version.pipeline.id)
      plans.set(version.pipeline.id, before)
      return before
    }
    const { children, plan, problems } = yield* compiled(version)
    const result =
      plan === undefined ? Either.left(Problem.invalid(version.pipeline.name, problems)) : Either.right(plan)
    const oldest = plans.keys().next()
    if (plans.size >= maxPlans && oldest.done !== true) plans.delete(oldest.value)
    plans.delete(version.pipeline.id)
    const known: Known = { version, children, result }
    plans.set(version.pipeline.id, known)
    return known
  })

  const compile = (version: VersionedPipeline) => Effect.flatMap(knownOf(version), ({ result }) => result)

  return PipelineRunner.of({
    check: (pipeline) =>
      Effect.map(compiled(pipeline), (result) => ({
        ...result,
        problems: [...result.problems, ...Review.review(pipeline.pipeline.yaml, catalog)].toSorted(Problem.byPlace)
      })),
    compile,
    withChildren: (pipeline) =>
      Effect.map(knownOf(pipeline), ({ children }) => (children.length === 0 ? pipeline : { ...pipeline, children })),
    inputExecutor: (pipeline) =>
      Effect.flatMap(compile(pipeline), (plan) => {
        if (Option.isNone(plan.input)) return Effect.succeed(Option.none())
        const { executor, node } = plan.input.value
        const problems = plan.blocked.get(node)
        return problems === undefined
          ? Effect.succeed(Option.fromNullable(executor))
          : Effect.fail(Problem.invalid(pipeline.pipeline.name, problems))
      }),
    run: (plan, items, { exclude, facts, files, watcher }) =>
      Either.match(Plan.runnable(plan, exclude), {
        onLeft: (error): Effect.Effect<RunResult, RunFailure | Problem.PipelineInvalid> => Effect.fail(error),
        onRight: (runnable) =>
          Effect.scopedWith((scope) =>
            GraphRunner.run(
              runnable,
              items,
              facts && stepResults !== null ? { steps: stepResults, ...facts } : facts,
              watcher
            ).pipe(
              Effect.provideService(Scope.Scope, scope),
              Effect.provideService(
                RunFiles.CurrentRunFiles,
                RunFiles.make([...localRoots, ...(files?.roots ?? [])], files?.own)
              )
            )
          )
      })
  })
})

/** The ETag says it; the text guards against a store that has none. */
const isSame = (a: VersionedPipeline, b: VersionedPipeline): boolean =>
  a.etag === b.etag && a.pipeline.yaml === b.pipeline.yaml && a.pipeline.name === b.pipeline.name

/** Compares everything of a child that compiling reads. */
const areSame = (some: ReadonlyArray<ChildPipeline>, others: ReadonlyArray<ChildPipeline>): boolean =>
  some.length === others.length &&
  some.every(({ by, found, key }, index) => {
    const other = others[index]
    return (
      by === other?.by &&
      key === other.key &&
      found?.pipeline.id === other.found?.pipeline.id &&
      found?.pipeline.name === other.found?.pipeline.name &&
      found?.pipeline.yaml === other.found?.pipeline.yaml
    )
  })

export const layer: Layer.Layer<PipelineRunner, never, Catalog | PipelineStore | WorkerConfig> = Layer.effect(
  PipelineRunner,
  make
)
