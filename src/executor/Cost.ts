/**
 * What a step's work costs: `cheap` work is done again, the result of `costly` (seconds of CPU) and `paid` (a metered service) work is kept.
 */
export type Cost = "cheap" | "costly" | "paid"
