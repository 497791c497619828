import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { WorkerConfig } from "../config/WorkerConfig.ts"
import { initial } from "../domain/Checkpoint.ts"
import { nameOf } from "../domain/Content.ts"
import * as Ids from "../domain/Ids.ts"
import type { VersionedPipeline } from "../domain/Pipeline.ts"
import { redact } from "../domain/Redaction.ts"
import type { ServiceError } from "../domain/ServiceError.ts"
import type { Vault } from "../domain/Vault.ts"
import type { Discovered } from "../executor/Executor.ts"
import { ExecutorError } from "../executor/ExecutorError.ts"
import { Rehearsal } from "../executor/Rehearsal.ts"
import type { Departure, RunFacts } from "../executor/RunFacts.ts"
import * as Usage from "../executor/Usage.ts"
import type { Plan } from "../pipeline/Plan.ts"
import { type InputExecutor, type PipelineInvalid, PipelineRunner } from "../pipeline/PipelineRunner.ts"
import { CheckpointStore } from "../store/CheckpointStore.ts"
import { ExecutionStore } from "../store/ExecutionStore.ts"
import { StepResults, type StepStore } from "../store/StepResults.ts"
import * as CutText from "../text/CutText.ts"
import * as CrawlStart from "../worker/crawl/CrawlStart.ts"
import { Deletions } from "../worker/outputs/Deletions.ts"
import * as WaitingDocuments from "../worker/crawl/WaitingDocuments.ts"
import type { Expense, Forecast, ForecastFailure, ForecastRemoval, ForecastStep } from "./Forecast.ts"
import * as PastCosts from "./PastCosts.ts"
import * as Sample from "./Sample.ts"
import * as Tally from "./Tally.ts"

/** What is to be foreseen. */
export interface Question {
  readonly vault: Vault
  /** The stored one, or another in its place: its id is the vault's. */
  readonly pipeline: VersionedPipeline
  /** `new`: what the next crawl would find. `all`: every document of the vault, as a backfill takes them. */
  readonly which: "new" | "all"
  /** Documents that are gone through. */
  readonly sample: number
}

/** What processing a vault with a pipeline would do. Nothing is written, and nothing is paid for. */
export class Forecasts extends Context.Tag("contentflow-worker/forecast/Forecasts")<
  Forecasts,
  {
    readonly of: (question: Question) => Effect.Effect<Forecast, PipelineInvalid | ExecutorError | ServiceError>
  }
>() {}

/** Documents that a crawl found again and whose executions are looked for. */
const mostLookedUp = 1_000

/** Documents that are gone through at once. */
const concurrency = 4

/** Kinds of failures that are told. */
const mostFailures = 20

interface Listing {
  readonly listed: number | null
  readonly given: number
  readonly sample: ReadonlyArray<Discovered>
  readonly removal: Option.Option<ForecastRemoval>
  readonly notes: ReadonlyArray<string>
}

const make = Effect.gen(function* () {
  const runner = yield* PipelineRunner
  const checkpoints = yield* CheckpointStore
  const executions = yield* ExecutionStore
  const deletions = yield* Deletions
  const stepResults = yield* StepResults
  const { crawlOverlap, taskTimeout } = yield* WorkerConfig
  const overlap = Duration.toMillis(crawlOverlap)

  // --- Which documents ---

  const list = Effect.fnUntraced(function* (
    { pipeline: { etag, pipeline }, sample: wanted, vault, which }: Question,
    input: InputExecutor,
    plan: Plan
  ) {
    const found = yield* checkpoints.look(pipeline.id, input.id, vault.id)
    const checkpoint = Option.getOrElse(found.checkpoint, () => initial(pipeline.id, input.id, vault.id))
    const crawl = yield* CrawlStart.crawlOf(input, pipeline.name)
    const isNew = which === "new"
    const before = isNew ? CrawlStart.progressOf(checkpoint, { input, version: etag }) : null
    const continuation = Option.map(
      Option.fromNullable(isNew ? checkpoint.listing : null),
      (listing) => listing.continuation
    )
    const waiting = WaitingDocuments.read(checkpoint.waiting_documents)
    const isWhole = before === null && Option.isNone(continuation)
    const foreseen = isWhole
      ? yield* deletions.foresee({ vault, pipeline, outputs: plan.outputs }, found.servedAt)
      : undefined
    const sample = Sample.make<Discovered>(Math.max(wanted, isNew ? mostLookedUp : 0))
    const totals = { given: 0, listed: 0, waiting: 0, isCut: false }
    const since = isNew ? CrawlStart.since(checkpoint, overlap) : Option.none<number>()
    yield* crawl(since, continuation, waiting.has, {
      listsAll: isWhole,
      ...(before === null ? {} : { from: before.resume })
    }).pipe(
      Stream.runForEach((batch) =>
        Effect.gen(function* () {
          totals.given += batch.documents.length
          totals.listed += batch.listed?.length ?? 0
          totals.waiting += batch.waiting?.length ?? 0
          totals.isCut = batch.continuation !== undefined
          for (const document of batch.documents) sample.add(nameOf(document.item), document)
          if (batch.listed !== undefined && foreseen !== undefined) yield* foreseen.add(batch.listed)
        })
      )
    )
    const removals =
      foreseen === undefined || totals.isCut ? Option.none() : yield* foreseen.finish(checkpoint.deletions_held ?? null)
    const listing: Listing = {
      listed: isWhole && !totals.isCut ? totals.listed : null,
      given: totals.given,
      sample: sample.all(),
      removal: Option.map(removals, ({ lookedUp, missing, of, outputs, waits }) => ({
        documents: missing,
        of,
        waits,
        looked_up: lookedUp,
        outputs: outputs.map(({ count, node, place }) => ({ executor_id: node, place, outputs: count }))
      })),
      notes: [
        ...(totals.isCut
          ? [`A limit (max_results) ends the listing after ${totals.given} documents; later crawls go on with it.`]
          : []),
        ...(isWhole
          ? []
          : [
              "An earlier crawl did not come to its end: this is what is left of its listing, and nothing is said of deletions."
            ]),
        ...(totals.waiting > 0
          ? [`${totals.waiting} documents are in the archive tier and can't be read; they run when they are back.`]
          : []),
        ...(foreseen !== undefined && !totals.isCut && Option.isNone(removals)
          ? ["The source lists its documents in another order than before: nothing is said of deletions."]
          : [])
      ]
    }
    return listing
  }, Effect.scoped)

  /** Those that did not run before, of documents that a crawl would find; groups are made by the crawl, so theirs can't be told. */
  const unfinished = (
    { pipeline: { pipeline }, vault, which }: Question,
    { itemsPerTask }: InputExecutor,
    documents: ReadonlyArray<Discovered>
  ) =>
    which === "all" || itemsPerTask > 1
      ? Effect.succeed(documents)
      : Effect.filter(
          documents,
          ({ item, version }) => {
            const of = { vaultId: vault.id, pipelineId: pipeline.id, items: [nameOf(item)], versions: [version] }
            return Effect.map(executions.find(Ids.executionIdOf(of)), (execution) =>
              Option.match(execution, {
                onNone: () => true,
                // Its message was never sent: the crawl does that.
                onSome: ({ enqueued_at, started_at, status }) =>
                  status === "pending" && enqueued_at === null && started_at === null
              })
            )
          },
          { concurrency: 8 }
        )

  // --- What becomes of them ---

  const rehearse = Effect.fnUntraced(function* (
    { pipeline: { pipeline }, vault }: Question,
    input: InputExecutor,
    plan: Plan,
    documents: ReadonlyArray<Discovered>
  ) {
    const steps = plan.steps.filter(({ place }) => place !== input.id)
    const tally = new Tally.Tally(steps)
    const isBehind = behindIn(plan)
    const failing = new Map<string, { -readonly [K in keyof ForecastFailure]: ForecastFailure[K] }>()
    let gone = 0
    const now = yield* Clock.currentTimeMillis
    const one = Effect.fnUntraced(function* ({ etag, item, modifiedAt }: Discovered) {
      const rehearsal = Rehearsal.make(isBehind)
      const departures = new Map<string, Departure>()
      const facts: RunFacts = {
        pipelineId: pipeline.id,
        vaultId: vault.id,
        executionId: "plan",
        taskId: "plan",
        attempt: 1,
        createdAt: now,
        foundAt: now,
        documents: new Map([[nameOf(item), { etag: etag ?? null, changedAt: modifiedAt ?? null }]]),
        departures,
        steps: stepResults === null ? null : readOnly(stepResults),
        rehearsal
      }
      const error = yield* runner.run(plan, [item], { exclude: input.id, facts }).pipe(
        Effect.as(null),
        Effect.catchTag("RunFailure", ({ error }) => Effect.succeed(error)),
        Effect.timeoutTo({
          duration: taskTimeout,
          onSuccess: (ended) => ended,
          onTimeout: () =>
            new ExecutorError({
              reason: "Timeout",
              executorId: input.id,
              itemId: nameOf(item),
              message: `It takes longer than ${Duration.format(taskTimeout)} (TASK_TIMEOUT_SECONDS).`
            })
        })
      )
      if (departures.size > 0) gone += 1
      const place = error === null ? null : placeOf(plan, error.executorId)
      const isFailure = error !== null && place !== null && !rehearsal.isUncertain({ id: place, place })
      tally.add(rehearsal, !isFailure && departures.size === 0)
      if (!isFailure) return
      const known = failing.get(error.executorId)
      if (known !== undefined) known.documents += 1
      else if (failing.size < mostFailures) {
        failing.set(error.executorId, {
          executor_id: error.executorId,
          documents: 1,
          example: nameOf(item),
          error: CutText.cut(redact(error.message), 500)
        })
      }
    })
    yield* Effect.forEach(documents, one, { concurrency, discard: true })
    return { tally, gone, failing: [...failing.values()] }
  })

  const of = Effect.fnUntraced(function* (question: Question) {
    const { pipeline, sample, vault, which } = question
    const plan = yield* runner.compile(pipeline)
    const input = yield* runner.inputExecutor(pipeline)
    if (Option.isNone(input)) {
      return yield* new ExecutorError({
        reason: "Setting",
        executorId: "input",
        itemId: null,
        message: `The pipeline ${pipeline.pipeline.name} has no executor that looks for documents.`
      })
    }
    const { given, listed, notes, removal, sample: found } = yield* list(question, input.value, plan)
    const left = yield* unfinished(question, input.value, found)
    const exact = found.length === given || which === "all"
    const run = found.length === 0 ? 0 : Math.round((given * left.length) / found.length)
    const chosen = left.slice(0, sample)
    const { failing, gone, tally } = yield* rehearse(question, input.value, plan, chosen)
    const past = yield* Effect.provideService(
      PastCosts.find(vault.id, pipeline.pipeline.id),
      ExecutionStore,
      executions
    )
    const factor = chosen.length === 0 ? 0 : run / chosen.length
    const costs = costsOf(plan, tally, past, factor)
    const forecast: Forecast = {
      vault_id: vault.id,
      pipeline_id: pipeline.pipeline.id,
      pipeline_name: pipeline.pipeline.name,
      documents: { which, listed, run, done: Math.max(0, given - run), exact },
      sample: { documents: chosen.length, gone, failing },
      steps: tally.steps.map((each): ForecastStep => ({
        executor_id: each.step.id,
        type: each.step.type,
        inside: each.step.place === each.step.id ? null : each.step.place,
        cost: each.step.cost,
        writes: each.step.writes,
        computed: Math.round(each.computed * factor),
        kept: Math.round(each.kept * factor),
        open: Math.round(each.open * factor),
        expected: each.step.place === each.step.id ? (costs.byPlace.get(each.step.id) ?? null) : null,
        digest: each.step.digest
      })),
      removal: Option.getOrNull(removal),
      cost: {
        expected: expenseOf(costs.expected.all()),
        most: expenseOf(costs.most.all()),
        saved: expenseOf(Usage.times(tally.saved(), factor)),
        runs: past.runs,
        unknown: costs.unknown
      },
      notes: [
        ...notes,
        ...(exact
          ? []
          : [
              `Of ${given} documents that changed, ${found.length} were looked up to see whether they ran already: the numbers of documents are what these give.`
            ]),
        ...(chosen.length < run
          ? [
              `The steps of ${chosen.length} documents were gone through, of ${run} that would run: the numbers of steps and the costs are what they give for all.`
            ]
          : []),
        ...(input.value.itemsPerTask > 1
          ? [
              "Documents run in groups (items_per_task), and were gone through one by one: steps that work on several at once differ."
            ]
          : []),
        ...(stepResults === null ? ["No results of steps are kept (STEP_RESULTS_TTL_DAYS is 0)."] : []),
        ...(input.value.enabled ? [] : [`${input.value.id} is disabled, so no crawl finds documents.`])
      ]
    }
    return forecast
  })

  return Forecasts.of({ of })
})

/** Looks up, and keeps nothing. */
const readOnly = ({ get }: StepStore): StepStore => ({
  get,
  put: () => Effect.succeed("Kept" as const),
  sweep: Effect.succeed(0)
})

/** Whether a node comes after another one in the graph. */
const behindIn = ({ graph }: Plan): ((node: string, earlier: string) => boolean) => {
  const known = new Map<string, ReadonlySet<string>>()
  const followersOf = (earlier: string): ReadonlySet<string> => {
    const found = new Set<number>()
    const start = graph.nodes.findIndex(({ id }) => id === earlier)
    const waiting = start < 0 ? [] : [start]
    for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
      const { always = [], cases = [], otherwise = [] } = graph.outgoing[at] ?? {}
      for (const next of [...always, ...cases.flatMap(({ targets }) => targets), ...otherwise]) {
        if (found.has(next)) continue
        found.add(next)
        waiting.push(next)
      }
    }
    return new Set([...found].flatMap((index) => graph.nodes[index]?.id ?? []))
  }
  return (node, earlier) => {
    const followers = known.get(earlier) ?? followersOf(earlier)
    known.set(earlier, followers)
    return followers.has(node)
  }
}

/** The node of the pipeline itself that an error names, or inside of which it happened. */
const placeOf = ({ graph }: Plan, executorId: string): string =>
  graph.nodes.find(({ id }) => id === executorId || executorId.startsWith(`${id}.`))?.id ?? executorId

/** What past runs say of nodes, for what would be computed in them. */
const costsOf = (plan: Plan, tally: Tally.Tally, past: PastCosts.PastCosts, factor: number) => {
  const expected = new Usage.Meter()
  const most = new Usage.Meter()
  const byPlace = new Map<string, Expense>()
  const unknown: Array<string> = []
  const places = new Set(tally.steps.map(({ step }) => step.place))
  for (const place of places) {
    const inside = tally.steps.filter(({ step }) => step.place === place && step.cost !== "cheap")
    const sum = (count: (each: Tally.StepTally) => number) => inside.reduce((all, each) => all + count(each), 0)
    const computed = sum((each) => each.computed)
    const open = sum((each) => each.open)
    if (computed + open === 0) continue
    const type = plan.graph.nodes.find(({ id }) => id === place)?.type ?? ""
    const main = tally.steps.find(({ step }) => step.id === place && step.place === place)
    const perItem = past.ofItem(place, main?.step.type ?? type)
    if (perItem === undefined || perItem.length === 0) {
      if (inside.some(({ step }) => step.cost === "paid")) unknown.push(place)
      continue
    }
    // Usage is recorded for the items of the node itself, whatever works inside of it.
    const all = computed + open + sum((each) => each.kept)
    const items = inside.some(({ step }) => step.id === place) ? all : Math.max(main?.visits ?? 0, open > 0 ? 1 : 0)
    const part = computed === 0 ? [] : Usage.times(perItem, (factor * items * computed) / all)
    for (const usage of part) expected.add(usage)
    for (const usage of Usage.times(perItem, (factor * items * (computed + open)) / all)) most.add(usage)
    if (computed > 0) byPlace.set(place, expenseOf(part))
  }
  return { expected, most, byPlace, unknown }
}

const expenseOf = (usages: ReadonlyArray<Usage.Usage>): Expense => ({
  cost: usages.reduce<number | null>((sum, { cost }) => (cost === null ? sum : (sum ?? 0) + cost), null),
  usage: Usage.toJson(
    usages.map((usage) => ({
      ...usage,
      calls: Math.round(usage.calls),
      inputTokens: Math.round(usage.inputTokens),
      cachedTokens: Math.round(usage.cachedTokens),
      outputTokens: Math.round(usage.outputTokens),
      pages: Math.round(usage.pages),
      millis: Math.round(usage.millis),
      waitMillis: Math.round(usage.waitMillis)
    }))
  )
})

export const layer: Layer.Layer<
  Forecasts,
  never,
  PipelineRunner | CheckpointStore | ExecutionStore | Deletions | WorkerConfig
> = Layer.effect(Forecasts, make)
