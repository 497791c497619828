import * as Schema from "effect/Schema"

const OptionalText = Schema.optionalWith(Schema.NullOr(Schema.String), { default: () => null })

/** A place between two pages of a listing: the service's word for it, and the name of the document behind it. */
export const ListingPlace = Schema.Struct({ from: Schema.String, name: Schema.String })
export interface ListingPlace extends Schema.Schema.Type<typeof ListingPlace> {}

/** A crawl whose listing is cut into ranges of names, which the source workers of the fleet share. */
export const SharedCrawl = Schema.Struct({
  /** `crawl_epoch` of the crawl that began it. */
  id: Schema.Number,
  pipeline_version: Schema.String,
  /** Where the second range begins, the third, … */
  borders: Schema.Array(ListingPlace),
  /** How the source may sort its names (NameOrder). */
  orders: Schema.Array(Schema.String),
  /** Documents that are processed again though they did not change. */
  again: Schema.Array(Schema.String),
  /** Whether the ranges keep what they list for the comparison with the inventory. */
  with_names: Schema.Boolean
})
export interface SharedCrawl extends Schema.Schema.Type<typeof SharedCrawl> {}

/** What one worker noted of a range of a {@link SharedCrawl}: a document of its own beside the checkpoint, as long as the crawl is under way. */
export const CrawlRange = Schema.Struct({
  id: Schema.String,
  /** `id` of the checkpoint. */
  checkpoint_id: Schema.String,
  /** `id` of the shared crawl. */
  crawl: Schema.Number,
  number: Schema.Number,
  worker_id: Schema.String,
  /** `refused`: the service does not know the place any more where the range begins, or the listing is not in the order of the borders. */
  state: Schema.Literal("under way", "complete", "refused"),
  /** When the listing of the range began, in the source's clock; null when it gave nothing yet. */
  started_at: OptionalText,
  /** All before it is queued: another worker goes on here. */
  resume: OptionalText,
  discovered: Schema.Number,
  enqueued: Schema.Number,
  /** WaitingDocuments of the whole vault, as this range changed them. */
  waiting_documents: OptionalText,
  /** Those that were not known to wait. */
  newly_waiting: Schema.Struct({ count: Schema.Number, names: Schema.Array(Schema.String) }),
  /** The ids of the parts of its names (ListedNames), with blanks between. */
  listed: Schema.String,
  /** Names that an earlier range may have, too: a JSON array. */
  doubtful: Schema.String,
  /** Its places for the ranges of later crawls (ListingPlaces). */
  places: Schema.String
})
export interface CrawlRange extends Schema.Schema.Type<typeof CrawlRange> {}

/** Beside the checkpoint's id, and of no vault or executor that there may be. */
export const crawlRangeId = (checkpointId: string, number: number): string => `${checkpointId}~${number}`
