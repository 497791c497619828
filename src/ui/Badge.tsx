/** A state, told by its word and only then by its colour. */
export const Badge = ({ state }: { readonly state: string }) => <span class={`badge ${classOf(state)}`}>{state}</span>

const known = new Set([
  "pending",
  "running",
  "completed",
  "failed",
  "cancelled",
  "stopped",
  "paused",
  "skipped",
  "draining",
  "stalled",
  "crawling"
])

const classOf = (state: string): string => (known.has(state) ? state : "other")
