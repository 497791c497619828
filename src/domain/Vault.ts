import * as Schema from "effect/Schema"
import { PipelineId, VaultId } from "./Ids.ts"

/** The parts of a `vaults` document that the worker uses. */
export const Vault = Schema.Struct({
  id: VaultId,
  pipeline_id: PipelineId,
  /** Literally `true` in the document; anything else is disabled. */
  enabled: Schema.optionalWith(Schema.Unknown, { default: () => false }),
  /** Whether an execution keeps its complete result items, or only their identifiers. */
  save_execution_output: Schema.optionalWith(Schema.Boolean, { default: () => false, nullable: true })
})
export interface Vault extends Schema.Schema.Type<typeof Vault> {}
