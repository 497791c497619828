import type { Cost } from "../executor/Executor.ts"

/** What its use would cost. */
export interface Expense {
  /** In the currency of the price table; null where it has no price for any of it. */
  readonly cost: number | null
  /** By model and deployment, as executions hold it. */
  readonly usage: ReadonlyArray<Readonly<Record<string, unknown>>>
}

/** A node of the pipeline, and how often it would work: items, for all documents that would run. */
export interface ForecastStep {
  readonly executor_id: string
  readonly type: string
  /** The node whose inside it belongs to; null for a node of the pipeline itself. */
  readonly inside: string | null
  readonly cost: Cost
  /** Whether it writes outputs. */
  readonly writes: boolean
  readonly computed: number
  readonly kept: number
  /** A result is kept for what is known now, or nothing is known yet: it depends on what a step before it gives. */
  readonly open: number
  /** By past runs; null where none tells, or where nothing is paid for. */
  readonly expected: Expense | null
  /** Tells settings, type and version of the node from others. */
  readonly digest: string
}

/** Documents that would fail, by where and why. */
export interface ForecastFailure {
  readonly executor_id: string
  /** Of the sample. */
  readonly documents: number
  readonly example: string
  readonly error: string
}

export interface ForecastRemoval {
  /** Documents that are gone from the source, or have left the filter. */
  readonly documents: number
  /** Documents of the vault when it was last crawled. */
  readonly of: number
  /** They are so many that nothing goes before a person confirms it. */
  readonly waits: boolean
  /** Of so many of them the outputs were looked up. */
  readonly looked_up: number
  readonly outputs: ReadonlyArray<{
    readonly executor_id: string
    readonly place: string
    readonly outputs: number
  }>
}

/** What processing a vault with a pipeline would do. Nothing was written to find it out. */
export interface Forecast {
  readonly vault_id: string
  readonly pipeline_id: string
  readonly pipeline_name: string
  readonly documents: {
    /** `new`: what the next crawl would find. `all`: every document of the vault, as a backfill takes them. */
    readonly which: "new" | "all"
    /** Documents in the source that pass the filters; null where the listing went on from a place in its middle. */
    readonly listed: number | null
    /** That would run. */
    readonly run: number
    /** Of the new ones: that ran already, so that nothing comes of finding them again. */
    readonly done: number
    /** Whether `run` and `done` are exact; otherwise they are what a sample gives. */
    readonly exact: boolean
  }
  /** So many of the documents that would run were gone through; the counts of steps are for all. */
  readonly sample: {
    readonly documents: number
    readonly gone: number
    readonly failing: ReadonlyArray<ForecastFailure>
  }
  readonly steps: ReadonlyArray<ForecastStep>
  /** Null where outputs stay whatever becomes of their documents, or where nothing can be said. */
  readonly removal: ForecastRemoval | null
  readonly cost: {
    /** Of what would surely be computed. */
    readonly expected: Expense
    /** With all that depends on steps before it. */
    readonly most: Expense
    /** What kept results had cost. */
    readonly saved: Expense
    /** Past executions that tell. */
    readonly runs: number
    /** Nodes that are paid for and of which no past run tells. */
    readonly unknown: ReadonlyArray<string>
  }
  /** What the figures leave out, in words. */
  readonly notes: ReadonlyArray<string>
}
