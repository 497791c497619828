import type * as Duration from "effect/Duration"
import type { InputExecutor } from "../../pipeline/PipelineRunner.ts"
import type { OutputNode } from "../../pipeline/Plan.ts"
import type * as Enqueue from "./Enqueue.ts"

/** One vault and what its pipeline says about crawling it. */
export interface CrawlTarget {
  readonly vault: Enqueue.Source["vault"]
  readonly pipeline: Enqueue.Source["pipeline"]
  /** The ETag of the pipeline. */
  readonly version: string
  readonly input: InputExecutor
  readonly interval: Duration.Duration
  /** The nodes that can take back what they wrote. */
  readonly outputs: ReadonlyArray<OutputNode>
  /** Somebody asks for a crawl before it is due. */
  readonly early?: Early
}

/** `now`: whenever it was crawled last. A time (epoch milliseconds of the store): unless it was crawled since. */
export type Early = "now" | number
