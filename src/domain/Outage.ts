import * as Schema from "effect/Schema"

/** What an error of a call knows of the service's state for all its callers. */
export const Outage = Schema.Struct({
  /** Which service, for people: `storage account invoices`, `https://api.example.com`. */
  endpoint: Schema.String,
  /** True: its valve is closed, nothing but probes goes there. False: no call since this caller's last failure worked either. */
  closed: Schema.Boolean,
  /** Whether it ever worked for this process. If not, its address may be wrong. */
  served: Schema.Boolean,
  /** How long every call has failed. */
  lastsMillis: Schema.Number,
  /** Until the next call may go there. */
  retryAfterMillis: Schema.Number
})
export interface Outage extends Schema.Schema.Type<typeof Outage> {}
