import * as Schema from "effect/Schema"
import { PipelineId, VaultId } from "./Ids.ts"

/** The parts of a `vaults` document that the worker uses. */
export const Vault = Schema.Struct({
  id: VaultId,
  pipeline_id: PipelineId,
  /** For people. */
  name: Schema.optional(Schema.Unknown),
  /** Literally `true` in the document; anything else is disabled. */
  enabled: Schema.optionalWith(Schema.Unknown, { default: () => false }),
  /** Whether an execution keeps its complete result items, or only their identifiers. */
  save_execution_output: Schema.optionalWith(Schema.Boolean, { default: () => false, nullable: true }),
  /** Ours: what becomes of outputs whose document is deleted, where an output node does not say: see {@link policyOf}. */
  on_source_deleted: Schema.optional(Schema.Unknown),
  /** Ours: a crawl that would remove the outputs of more than this share of the vault waits for a person. */
  max_deletions_percent: Schema.optional(Schema.Unknown),
  /** Ours: the word with which a person confirmed the deletions that wait. */
  confirmed_deletions: Schema.optional(Schema.Unknown),
  /** Ours: among how many ranges of names the listing of a crawl is cut: see {@link crawlRangesOf}. */
  crawl_ranges: Schema.optional(Schema.Unknown),
  /** Ours: where failures of the vault are sent: `{"url": …}`, or the address alone. */
  on_failure_webhook: Schema.optional(Schema.Unknown)
})
export interface Vault extends Schema.Schema.Type<typeof Vault> {}

/** What people call it. */
export const shownName = ({ id, name }: Pick<Vault, "id" | "name">): string =>
  typeof name === "string" && name.trim() !== "" ? name : id

/** Only the literal word removes anything. */
export const policyOf = ({ on_source_deleted }: Pick<Vault, "on_source_deleted">): "keep" | "remove" =>
  on_source_deleted === "remove" ? "remove" : "keep"

/** More would be more locks and documents than workers that list. */
export const mostCrawlRanges = 16

/** Anything but a whole number of at least two is one: the listing of a crawl is one worker's. */
export const crawlRangesOf = ({ crawl_ranges: given }: Pick<Vault, "crawl_ranges">): number => {
  const count = typeof given === "string" && given.trim() !== "" ? Number(given) : given
  return typeof count === "number" && Number.isInteger(count) && count >= 1 ? Math.min(count, mostCrawlRanges) : 1
}
