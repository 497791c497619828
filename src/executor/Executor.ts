import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type * as Option from "effect/Option"
import type { Content } from "../domain/Content.ts"
import type { ExecutorId } from "../domain/Ids.ts"
import * as EffectCopies from "./EffectCopies.ts"
import type { ExecutorError } from "./ExecutorError.ts"
import type { Cost, KeptSteps } from "./KeptSteps.ts"
import type * as Retry from "./Retry.ts"
import type { RunFacts } from "./RunFacts.ts"
import * as Settings from "./Settings.ts"
import type { Meter } from "./Usage.ts"
import type * as Outputs from "./Outputs.ts"
import type { WriteOrder } from "./WriteOrder.ts"

export type { Cost, KeptSteps, StepProgress } from "./KeptSteps.ts"
export { documentError, ExecutorError, fromServiceError, isRetryable } from "./ExecutorError.ts"

/** The categories of the original's catalog, spelled exactly as there. */
export type Category =
  | "input"
  | "extract"
  | "transform"
  | "analyse"
  | "output"
  | "Utility"
  | "pipeline"
  | "control_flow"
  | "document_set"

/** The node's place in its pipeline, and the run it works in. */
export interface ExecutorContext {
  /** The node's id in the definition. */
  readonly id: ExecutorId
  readonly pipelineName: string
  /** `fail_pipeline_on_error` of the node. */
  readonly failOnError: boolean
  /** How often to try again what may heal; absent for not at all. Nodes that work item by item apply it to each item. */
  readonly retry?: Retry.Policy
  /** What {@link Executor.inner} asked for, in its order, ready to work; disabled steps are left out. */
  readonly inner?: ReadonlyArray<InnerInstance>
  /** The task behind this run; absent in a crawl, and where no task stands behind it. */
  readonly run?: RunFacts
  /** Counts what the node's calls of paid services use; a report of the run shows it. */
  readonly meter?: Meter
  /** Keeps the results of the node's steps; absent where they are not kept. */
  readonly steps?: KeptSteps
}

/** What works inside a node, so that the plan compiles it together with the node: a step, or another pipeline. */
export type Inner = {
  /** Where the node's settings name it. */
  readonly path: ReadonlyArray<string | number>
} & (
  | {
      readonly _tag: "Step"
      readonly id: string
      readonly type: string
      readonly settings: Readonly<Record<string, unknown>>
    }
  /** By the document's id or by name; one of the same file goes first. */
  | { readonly _tag: "Pipeline"; readonly id: string | null; readonly name: string | null }
)

/** An {@link Inner} in one run, with everything that belongs to a node: its condition, its error switch, its timeout. */
export interface InnerInstance {
  /** Its place among all that the node asked for. */
  readonly index: number
  /** `<node>.<step>`, as the log names it. */
  readonly id: string
  readonly type: string
  readonly process: (items: ReadonlyArray<Content>) => Effect.Effect<ReadonlyArray<Content>, ExecutorError>
}

/** A node, ready to work for one run. It never changes the items it gets: it returns new ones. */
export interface ExecutorInstance {
  /** What goes on from the node: in the order of the items unless the type says otherwise, and as many as it likes. */
  readonly process: (items: ReadonlyArray<Content>) => Effect.Effect<ReadonlyArray<Content>, ExecutorError>
  /** True when it applies `ExecutorContext.retry` itself; otherwise the whole node is tried again. */
  readonly retriesItems?: boolean
  /** True when it uses `ExecutorContext.steps` itself; otherwise the work on a single item is one step, which reads all of the item. */
  readonly keepsSteps?: boolean
  /**
   * Only of executors that can be a vault's source: what changed since `checkpoint` (epoch milliseconds, the service's clock). After a crawl
   * that a limit cut, the next gets its `continuation` with the same checkpoint. `isWaiting` tells the documents that an earlier crawl named as
   * `waiting`: they are given when they can be read, or named again, whether or not they changed.
   */
  readonly crawl?: (
    checkpoint: Option.Option<number>,
    continuation?: Option.Option<string>,
    isWaiting?: (name: string) => boolean,
    options?: CrawlOptions
  ) => Stream.Stream<CrawlBatch, ExecutorError>
  /** Only of output nodes that can take back what they wrote. */
  readonly outputs?: {
    /** Whether its writes and removals are conditional, so that one that is late never replaces or removes what a later one wrote. */
    readonly ordered: boolean
    /** Whether outputs in this place are for such a node to remove. */
    readonly covers: (place: string) => boolean
    /** Removes these. What is not there is removed already; what is marked with an order that `mayRemove` refuses stays. */
    readonly remove: (
      outputs: ReadonlyArray<Outputs.Output>,
      mayRemove: (there: WriteOrder) => boolean
    ) => Effect.Effect<void, ExecutorError>
  }
}

/** A document that a crawl found, and what changes when it changes. */
export interface Discovered {
  readonly item: Content
  /** The document's version, for example its ETag. */
  readonly version: string
  /** The ETag of its blob, where it is one: a reader of the document notices by it that another version took its place. */
  readonly etag?: string
  /** When it last changed, in the service's clock: epoch milliseconds. Without it, groups (`items_per_task`) may repeat documents. */
  readonly modifiedAt?: number
}

/** What a crawl asks for beside the documents. */
export interface CrawlOptions {
  /** Go on where an earlier listing said `resume`. One that is not known any more begins anew. */
  readonly from?: string
  /** True: batches name all documents that are there, too (`listed`). */
  readonly listsAll?: boolean
}

/** A document that is there. */
export interface ListedDocument {
  /** Its canonical id. */
  readonly name: string
  /** Whether the crawl gives it out, since it is new or changed. */
  readonly isGiven: boolean
}

export interface CrawlBatch {
  readonly documents: ReadonlyArray<Discovered>
  /** Where all are asked for: those that are there and pass the filters, changed or not, each once, in the order in which the source lists them. */
  readonly listed?: ReadonlyArray<ListedDocument>
  /** Canonical ids of documents that are there and can't be read now (archived). */
  readonly waiting?: ReadonlyArray<string>
  /** When the service answered, in the service's clock: epoch milliseconds. The first batch's is the start of the listing. */
  readonly servedAt: number
  /**
   * Only on the last batch, where a limit cut the listing: what `crawl` needs to go on. The checkpoint then stays where it is
   * until a crawl comes to the end.
   */
  readonly continuation?: string
  /** Where another crawl may go on, with the same checkpoint, when all documents up to and with this batch are queued. */
  readonly resume?: string
  /** With `resume`: the canonical ids of the first and the last document that the source listed for this batch, whether the filters pass them or not. */
  readonly span?: { readonly first: string; readonly last: string }
  /** The place to go on from is not known any more: this batch is the first of a listing that begins anew. */
  readonly anew?: boolean
}

/** Builds the node inside the scope of one run. */
export type Prepared<R> = (context: ExecutorContext) => Effect.Effect<ExecutorInstance, ExecutorError, R | Scope.Scope>

/**
 * An executor type: an entry of the Catalog. Made with {@link define}. `prepare` checks the settings, once per pipeline version.
 */
export interface Executor<in out R> {
  readonly type: string
  /** Other names that definitions use for it. */
  readonly aliases: ReadonlyArray<string>
  readonly category: Category
  /** The name that the UI shows. */
  readonly name: string
  readonly description: string
  readonly settings: Readonly<Record<string, Settings.SettingInfo>>
  /** What `fail_pipeline_on_error` is when a definition leaves it out. */
  readonly failOnError: boolean
  /** Whether it can be a vault's source. */
  readonly canCrawl: boolean
  readonly cost: Cost
  /** Changes whenever the type gives another result for the same input: what was kept of other versions then counts no more. */
  readonly version: number
  /** The settings as they take effect, without those that change no result; nothing where `prepare` refuses them. */
  readonly effective: (settings: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>
  readonly prepare: (
    settings: Readonly<Record<string, unknown>>
  ) => Either.Either<Prepared<R>, ReadonlyArray<Settings.SettingProblem>>
  /** What is allowed in these settings, but hardly meant; nothing where `prepare` refuses them. */
  readonly advise: (settings: Readonly<Record<string, unknown>>) => ReadonlyArray<Settings.SettingProblem>
  /** The steps or the pipeline inside a node with these settings, which `prepare` accepted. */
  readonly inner?: (settings: Readonly<Record<string, unknown>>) => ReadonlyArray<Inner>
}

/**
 * Defines an executor type. `check` finds what no single setting shows (one setting against another), `advise` what can run but is
 * hardly meant; `make` builds the node from the decoded settings.
 */
export const define = <const F extends Settings.Fields, R = never>(definition: {
  readonly type: string
  readonly aliases?: ReadonlyArray<string>
  readonly category: Category
  readonly name: string
  readonly description: string
  readonly settings: F
  readonly failOnError?: boolean
  readonly canCrawl?: boolean
  /** Default `cheap`: the work is done again. */
  readonly cost?: Cost
  /** Default 1. */
  readonly version?: number
  readonly check?: (settings: Settings.TypeOf<F>) => ReadonlyArray<Settings.SettingProblem>
  readonly advise?: (settings: Settings.TypeOf<F>) => ReadonlyArray<Settings.SettingProblem>
  readonly inner?: (settings: Settings.TypeOf<F>) => ReadonlyArray<Inner>
  readonly make: (
    settings: Settings.TypeOf<F>,
    context: ExecutorContext
  ) => Effect.Effect<ExecutorInstance, ExecutorError, R | Scope.Scope>
}): Executor<R> => {
  const decode = Settings.decoder(definition.settings)
  const { advise, inner } = definition
  return {
    type: definition.type,
    aliases: definition.aliases ?? [],
    category: definition.category,
    name: definition.name,
    description: definition.description,
    settings: Object.fromEntries(Object.entries(definition.settings).map(([name, setting]) => [name, setting.info])),
    failOnError: definition.failOnError ?? true,
    canCrawl: definition.canCrawl ?? false,
    cost: definition.cost ?? "cheap",
    version: definition.version ?? 1,
    effective: (raw) =>
      Either.match(decode(raw), {
        onLeft: () => ({}),
        onRight: (settings) => Settings.decisive(definition.settings, settings)
      }),
    prepare: (raw) =>
      Either.flatMap(decode(raw), (settings) => {
        const problems = definition.check?.(settings) ?? []
        return problems.length > 0
          ? Either.left(problems)
          : Either.right((context: ExecutorContext) => {
              const made = definition.make(settings, context)
              return Effect.isEffect(made) ? made : Effect.dieMessage(EffectCopies.foreign(definition.type))
            })
      }),
    advise: (raw) =>
      Either.match(decode(raw), {
        onLeft: () => [],
        onRight: (settings) => [...Settings.advice(definition.settings, raw), ...(advise?.(settings) ?? [])]
      }),
    ...(inner === undefined
      ? {}
      : { inner: (raw) => Either.match(decode(raw), { onLeft: () => [], onRight: (settings) => inner(settings) }) })
  }
}
