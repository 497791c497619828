import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import { ExecutorId } from "../domain/Ids.ts"
import type { ChildPipeline, VersionedPipeline } from "../domain/Pipeline.ts"
import type { ServiceError } from "../domain/ServiceError.ts"
import type { Catalog } from "../executor/Catalog.ts"
import {
  type Executor,
  type ExecutorContext,
  type ExecutorInstance,
  type Inner,
  type InnerInstance,
  type Prepared
} from "../executor/Executor.ts"
import { ExecutorError } from "../executor/ExecutorError.ts"
import * as Outputs from "../executor/Outputs.ts"
import * as KeptSteps from "../executor/KeptSteps.ts"
import type { PlannedStep } from "../executor/Rehearsal.ts"
import * as RehearsedNode from "../executor/RehearsedNode.ts"
import type { RunFacts } from "../executor/RunFacts.ts"
import * as StepKey from "../executor/StepKey.ts"
import type { Meter } from "../executor/Usage.ts"
import type { SettingProblem } from "../executor/Settings.ts"
import type { PipelineStore } from "../store/PipelineStore.ts"
import * as ChildLookup from "./ChildLookup.ts"
import * as CommonSettings from "./CommonSettings.ts"
import * as Definition from "./Definition.ts"
import { build, readCondition, type Report } from "./DefinitionGraph.ts"
import * as Node from "./Node.ts"
import * as Plan from "./Plan.ts"
import * as Problem from "./Problem.ts"
import * as GraphRunner from "./GraphRunner.ts"
import * as UnknownType from "./UnknownType.ts"
import * as EnvSubstitution from "./EnvSubstitution.ts"

/** What a definition may refer to. */
export interface Surroundings {
  readonly catalog: Catalog["Type"]
  readonly store: PipelineStore["Type"]
  readonly variables: EnvSubstitution.ReadableVariables
}

export interface Compiled {
  /** All errors and warnings, in the order of the text; those of an input node do not prevent a plan. */
  readonly problems: ReadonlyArray<Problem.Problem>
  readonly plan?: Plan.Plan
  /** What was read from the store, so that the plan is compiled again when one of them changes. */
  readonly children: ReadonlyArray<ChildPipeline>
}

/** Pipelines within pipelines. */
const maxDepth = 20

/** Reads, checks and prepares a stored pipeline with the children that it uses. Fails only when a child could not be read. */
export const compile = (
  versioned: VersionedPipeline,
  surroundings: Surroundings
): Effect.Effect<Compiled, ServiceError> =>
  Effect.suspend((): Effect.Effect<Compiled, ServiceError> => {
    const { pipeline } = versioned
    const checked = Definition.check(pipeline.yaml, pipeline.name)
    if (checked.definition === undefined) return Effect.succeed({ problems: checked.problems, children: [] })
    const work = new Compilation(surroundings)
    const place: Place = { document: pipeline.id, ancestors: [] }
    return Effect.map(work.definition(checked.definition, checked.definition.main, place), ({ plan, problems }) => ({
      problems: [...checked.problems, ...problems].toSorted(Problem.byPlace),
      children: work.children,
      ...(plan === undefined ? {} : { plan })
    }))
  })

/** Where a definition is compiled: the document that holds it, and the definitions that led to it. */
interface Place {
  readonly document: string
  readonly ancestors: ReadonlyArray<{ readonly key: string; readonly name: string }>
}

interface Step {
  readonly raw: Readonly<Record<string, unknown>>
  readonly id: string
  readonly type: string
  readonly path: Problem.Path
}

/** What is known of an entry before it is clear whether it takes part. */
interface Draft extends Step {
  readonly executor: Executor<never>
  readonly settings: Readonly<Record<string, unknown>>
  readonly secrets: EnvSubstitution.Substituted["secrets"]
  readonly common: CommonSettings.CommonSettings | null
  readonly problems: ReadonlyArray<SettingProblem>
}

/** Builds what works inside a node, for one run. */
type OpenInner = (run: RunFacts | undefined, meter: Meter) => Effect.Effect<InnerInstance, ExecutorError, Scope.Scope>

interface Prospect {
  readonly node: Node.Node
  readonly prepared: Prepared<never>
}

class Compilation {
  readonly children: Array<ChildPipeline> = []
  /** The output nodes of all pipelines, children included. */
  private readonly outputs: Array<Plan.OutputNode> = []
  private readonly steps: Array<PlannedStep> = []
  /** The node of the outermost pipeline whose inside is compiled. */
  private inside: string | null = null
  private readonly surroundings: Surroundings
  private readonly known = new Map<string, Plan.Plan | null>()

  constructor(surroundings: Surroundings) {
    this.surroundings = surroundings
  }

  definition(
    file: Definition.DefinitionFile,
    definition: Definition.Definition,
    place: Place
  ): Effect.Effect<Pick<Compiled, "plan" | "problems">, ServiceError> {
    return Effect.gen(this, function* () {
      const problems: Array<Problem.Problem> = []
      const self = { key: `${place.document}#${definition.name}`, name: definition.name }
      const here: Place = { document: place.document, ancestors: [...place.ancestors, self] }
      const report: Report = (severity, path, message) =>
        problems.push(Problem.at(file.locate, path, severity, message))
      const drafts = yield* this.drafts(definition, report)
      const { graph, used } = build(
        definition,
        drafts.map(({ draft, id, type }) => ({
          id,
          type,
          enabled: draft?.common?.enabled ?? true,
          canCrawl: draft?.executor.canCrawl ?? false
        })),
        report
      )
      const crawler = drafts.findIndex(({ draft }) => draft?.executor.canCrawl === true)
      const nodes: Array<Node.Node | undefined> = []
      const blocked = new Map<number, ReadonlyArray<Problem.Problem>>()
      let input: Plan.InputExecutor | null = null
      for (const [index, { draft, path }] of drafts.entries()) {
        nodes.push(undefined)
        if (draft === undefined) continue
        if (used[index] !== true && index !== crawler) {
          if (graph !== undefined) report("warning", path, `${draft.id} is in no edge, so it never runs.`)
          continue
        }
        const disabled = draft.common?.enabled === false
        if (disabled && index !== crawler) continue
        const own: Array<Problem.Problem> = []
        const prospect = yield* this.node(draft, file, definition, here, (severity, at, message) =>
          own.push(Problem.at(file.locate, at, severity, message))
        )
        if (!disabled) problems.push(...own)
        if (prospect !== undefined) nodes[index] = prospect.node
        if (index === crawler && prospect !== undefined) input = inputExecutor(draft, prospect)
        if (!disabled && draft.executor.canCrawl && Problem.hasErrors(own)) blocked.set(index, own)
      }
      const tolerated = new Set([...blocked.values()].flat())
      if (graph === undefined || Problem.hasErrors(problems.filter((problem) => !tolerated.has(problem)))) {
        return { problems }
      }
      const plan: Plan.Plan = {
        name: definition.name,
        warnings: problems.filter(({ severity }) => severity === "warning"),
        graph,
        nodes,
        blocked,
        outputs: this.outputs,
        steps: this.steps,
        input: crawler < 0 ? Option.none() : Option.some({ node: crawler, executor: input }),
        runnables: new Map()
      }
      return { problems, plan }
    })
  }

  /** The entries in definition order. Of two with one id the last counts, at the place of the first. */
  private drafts(
    definition: Definition.Definition,
    report: Report
  ): Effect.Effect<ReadonlyArray<Pick<Step, "id" | "path" | "type"> & { readonly draft: Draft | undefined }>> {
    const entries = new Map<string, Step>()
    for (const [index, entry] of (definition.executors ?? []).entries()) {
      const path = [...definition.at, "executors", index]
      if (entries.has(entry.id)) {
        report(
          "warning",
          [...path, "id"],
          `The id ${JSON.stringify(entry.id)} appears again; this last executor counts.`
        )
      }
      if (Option.isNone(this.surroundings.catalog.find(entry.type))) {
        report("error", [...path, "type"], UnknownType.describe(entry.type, this.surroundings.catalog))
      }
      const raw = entry.settings ?? {}
      // The original looks at no setting of a child pipeline's node but its own.
      const isChild = Option.exists(
        this.surroundings.catalog.find(entry.type),
        ({ category }) => category === "pipeline"
      )
      entries.set(entry.id, {
        id: entry.id,
        type: entry.type,
        raw: isChild ? raw : CommonSettings.ofNode(raw),
        path
      })
    }
    return Effect.forEach(entries.values(), (step) =>
      Effect.map(this.draft(step, report), (draft) => ({ id: step.id, path: step.path, type: step.type, draft }))
    )
  }

  private draft(step: Step, report: Report): Effect.Effect<Draft | undefined> {
    const found = this.surroundings.catalog.find(step.type)
    if (Option.isNone(found)) return Effect.succeed(undefined)
    const executor = found.value
    if (executor.type !== step.type) {
      report("warning", [...step.path, "type"], `${step.type} is an old name of ${executor.type}.`)
    }
    return Effect.map(EnvSubstitution.substitute(step.raw, this.surroundings.variables), (substituted) => {
      const settings = Either.isRight(substituted) ? substituted.right.settings : step.raw
      const common = CommonSettings.decode(executor, settings)
      return {
        ...step,
        executor,
        settings,
        secrets: Either.isRight(substituted) ? substituted.right.secrets : new Map<string, string>(),
        common: Either.getOrNull(common),
        problems: [
          ...(Either.isLeft(substituted) ? substituted.left : []),
          ...(Either.isLeft(common) ? common.left : [])
        ]
      }
    })
  }

  private node(
    draft: Draft,
    file: Definition.DefinitionFile,
    definition: Definition.Definition,
    place: Place,
    report: Report
  ): Effect.Effect<Prospect | undefined, ServiceError> {
    return Effect.gen(this, function* () {
      const inSettings = [...draft.path, "settings"]
      const complain = (found: ReadonlyArray<SettingProblem>): void => {
        for (const { message, path } of found) {
          report("error", [...inSettings, ...path], EnvSubstitution.withoutSecrets(message, draft.secrets))
        }
      }
      complain(draft.problems)
      const { common, executor } = draft
      // Settings with unreplaced variables would only give problems that follow from these.
      if (draft.problems.length > 0 && common !== null) return undefined
      const prepared = executor.prepare(draft.settings)
      if (Either.isLeft(prepared)) complain(prepared.left)
      const condition =
        common === null || common.condition === null
          ? null
          : readCondition(common.condition, [...inSettings, "condition"], report)
      if (Either.isLeft(prepared) || common === null || condition === undefined) return undefined
      const outer = this.inside
      this.steps.push(plannedOf(draft, outer ?? draft.id))
      this.inside = outer ?? draft.id
      const opens: Array<OpenInner> = []
      let broken = false
      for (const [index, inner] of (executor.inner?.(draft.settings) ?? []).entries()) {
        const path = [...inSettings, ...inner.path]
        const open =
          inner._tag === "Step"
            ? yield* this.step(draft, inner, index, path, file, definition, place, report)
            : yield* this.child(draft.id, inner, index, path, file, place, report)
        if (open === undefined) broken = true
        else if (open !== "disabled") opens.push(open)
      }
      this.inside = outer
      if (broken) return undefined
      const context: ExecutorContext = {
        id: ExecutorId.make(draft.id, true),
        pipelineName: definition.name,
        failOnError: common.failOnError,
        ...(common.retry === null ? {} : { retry: common.retry })
      }
      const build = prepared.right
      const opening = opener(draft, common, context, build)
      const node: Node.Node = {
        id: context.id,
        type: executor.type,
        settings: common,
        condition,
        marksItems: executor.category !== "document_set",
        open:
          executor.inner === undefined
            ? (run, meter) => opening(run, meter)
            : (run, meter) =>
                Effect.flatMap(
                  Effect.forEach(opens, (open) => open(inside(run, context.id), meter)),
                  (inner) => opening(run, meter, inner)
                )
      }
      if (Object.hasOwn(executor.settings, "on_source_deleted")) {
        const policy = Outputs.policyOf(draft.settings["on_source_deleted"])
        this.outputs.push({ id: node.id, policy, open: node.open })
      }
      return { node, prepared: build }
    })
  }

  private step(
    parent: Draft,
    inner: Extract<Inner, { readonly _tag: "Step" }>,
    index: number,
    path: Problem.Path,
    file: Definition.DefinitionFile,
    definition: Definition.Definition,
    place: Place,
    report: Report
  ): Effect.Effect<OpenInner | "disabled" | undefined, ServiceError> {
    return Effect.gen(this, function* () {
      const step: Step = { id: `${parent.id}.${inner.id}`, type: inner.type, raw: inner.settings, path }
      const draft = yield* this.draft(step, report)
      if (draft === undefined) {
        report("error", [...path, "type"], UnknownType.describe(inner.type, this.surroundings.catalog))
        return undefined
      }
      if (draft.common?.enabled === false) return "disabled"
      // The parent's variables are in these settings already.
      const prospect = yield* this.node({ ...draft, secrets: parent.secrets }, file, definition, place, report)
      if (prospect === undefined) return undefined
      const { node } = prospect
      return (run, meter) =>
        Effect.map(
          Effect.suspend(() => node.open(run, meter)),
          (instance): InnerInstance => {
            const opened = () => Effect.succeed(instance)
            return {
              index,
              id: node.id,
              type: node.type,
              process: (items) => Effect.clockWith((clock) => Node.run(node, opened, items, clock, Node.settle))
            }
          }
        )
    })
  }

  private child(
    parent: string,
    inner: Extract<Inner, { readonly _tag: "Pipeline" }>,
    index: number,
    path: Problem.Path,
    file: Definition.DefinitionFile,
    place: Place,
    report: Report
  ): Effect.Effect<OpenInner | undefined, ServiceError> {
    return Effect.gen(this, function* () {
      const shown = JSON.stringify(inner.name ?? inner.id)
      const { read, target } = yield* ChildLookup.find(inner, file, place.document, this.surroundings.store)
      this.children.push(...read)
      if (typeof target === "string") {
        report("error", path, target)
        return undefined
      }
      const key = `${target.document}#${target.definition.name}`
      const name = target.definition.name
      const round = place.ancestors.findIndex((ancestor) => ancestor.key === key)
      if (round >= 0) {
        const names = [...place.ancestors.slice(round), { key, name }].map((each) => each.name)
        report("error", path, `The pipelines use each other in a cycle: ${names.join(" → ")}.`)
        return undefined
      }
      if (place.ancestors.length >= maxDepth) {
        report("error", path, `Pipelines may be nested ${maxDepth} deep at most.`)
        return undefined
      }
      let plan = this.known.get(key)
      if (plan === undefined) {
        const compiled = yield* this.definition(target.file, target.definition, {
          document: target.document,
          ancestors: place.ancestors
        })
        for (const problem of compiled.problems) {
          if (target.file === file)
            report(problem.severity, path, `In the child pipeline ${shown}: ${Problem.print(problem)}`)
          else if (problem.severity === "error") {
            report("error", path, `In the stored child pipeline ${shown}: ${Problem.print(problem)}`)
          }
        }
        plan = compiled.plan ?? null
        this.known.set(key, plan)
      }
      if (plan === null) return undefined
      const runnable = Plan.runnableAsChild(plan)
      if (Either.isLeft(runnable)) {
        report("error", path, `The child pipeline ${shown} cannot run: ${runnable.left.message}`)
        return undefined
      }
      return (run, meter) =>
        Effect.map(Effect.scope, (scope): InnerInstance => ({
          index,
          id: `${parent}.${name}`,
          type: "pipeline",
          process: (items) =>
            GraphRunner.run(runnable.right, items, run, {}, meter).pipe(
              Effect.provideService(Scope.Scope, scope),
              Effect.mapBoth({
                onSuccess: (result) => result.items,
                onFailure: ({ error }) =>
                  new ExecutorError({
                    reason: error.reason,
                    executorId: `${parent}.${error.executorId}`,
                    itemId: error.itemId,
                    message: `${name}: ${error.message}`,
                    retryAfterMillis: error.retryAfterMillis
                  })
              })
            )
        }))
    })
  }
}

type Opening = (
  run: RunFacts | undefined,
  meter: Meter,
  inner?: ReadonlyArray<InnerInstance>
) => Effect.Effect<ExecutorInstance, ExecutorError, Scope.Scope>

/** Builds a node for a run, with what is kept of its steps. */
const opener = (
  { executor, settings }: Draft,
  common: CommonSettings.CommonSettings,
  context: ExecutorContext,
  build: Prepared<never>
): Opening => {
  const cache = common.cache ?? (executor.cost === "cheap" ? "off" : "shared")
  if (cache === "off" || !isKeepable(executor)) {
    return (run, meter, inner) => {
      const rehearsal = run?.rehearsal
      if (rehearsal !== undefined && (executor.cost !== "cheap" || writes(executor))) {
        return Effect.succeed(RehearsedNode.leftOut(rehearsal, context.id, writes(executor)))
      }
      const built = build({
        ...context,
        meter,
        ...(run === undefined ? {} : { run }),
        ...(inner === undefined ? {} : { inner })
      })
      return rehearsal === undefined
        ? built
        : Effect.map(built, (instance) => RehearsedNode.watched(rehearsal, context, executor.cost, instance))
    }
  }
  const digest = StepKey.ofNode({ ...executor, settings: executor.effective(settings) })
  const node = { id: context.id, type: executor.type, digest, cache }
  return (run, meter) => {
    const rehearsal = run?.rehearsal
    if (rehearsal !== undefined && executor.cost !== "cheap" && run?.steps == null) {
      return Effect.succeed(RehearsedNode.leftOut(rehearsal, context.id, false))
    }
    const steps = run?.steps == null ? undefined : KeptSteps.make(run.steps, node, run, meter, executor.cost)
    const opened = build({
      ...context,
      meter,
      ...(run === undefined ? {} : { run }),
      ...(steps === undefined ? {} : { steps })
    })
    const keeping =
      steps === undefined ? opened : Effect.map(opened, (instance) => Node.keeping(instance, steps, context, run))
    return rehearsal === undefined
      ? keeping
      : Effect.map(keeping, (instance) => RehearsedNode.watched(rehearsal, context, executor.cost, instance))
  }
}

/** What such an executor does is done outside of the run. */
const writes = ({ category }: Pick<Executor<never>, "category">): boolean => category === "output"

const plannedOf = ({ executor, id, settings }: Draft, place: string): PlannedStep => ({
  id,
  type: executor.type,
  cost: executor.cost,
  writes: writes(executor),
  digest: StepKey.ofNode({ ...executor, settings: executor.effective(settings) }),
  place
})

const inside = (run: RunFacts | undefined, node: string): RunFacts | undefined =>
  run?.rehearsal === undefined ? run : { ...run, rehearsal: run.rehearsal.within(node) }

/** Reading a source, writing outputs and running other nodes are no results that could be kept. */
const isKeepable = ({ category, inner }: Pick<Executor<never>, "category" | "inner">): boolean =>
  inner === undefined &&
  (category === "extract" || category === "transform" || category === "analyse" || category === "document_set")

const inputExecutor = ({ common, executor, settings }: Draft, { node, prepared }: Prospect): Plan.InputExecutor => {
  const seconds = Number(settings["polling_interval_seconds"])
  const items = Number(settings["items_per_task"] ?? 1)
  return {
    id: node.id,
    type: executor.type,
    enabled: common?.enabled ?? true,
    pollingInterval: Number.isFinite(seconds) && seconds > 0 ? Option.some(Duration.seconds(seconds)) : Option.none(),
    itemsPerTask: Number.isInteger(items) && items > 0 ? items : 1,
    prepared
  }
}
