/** Longest condition, in UTF-16 units. */
export const maxLength = 20_000

/** Parentheses, `not`s and list brackets inside each other. */
export const maxNesting = 50

/** Comparisons in one condition. */
export const maxComparisons = 1_000

/** Parts of a field path (as in the original's evaluator). */
export const maxPathParts = 10

/** Longest pattern of `regex_match`, in UTF-16 units. */
export const maxPatternLength = 2_000

/** Different patterns in one condition: each may fill caches of some megabytes. */
export const maxPatterns = 25

/** RE2 instructions of all patterns of one condition, or so: it bounds the time to compile them. */
export const maxPatternWeight = 2_500

/**
 * RE2 instructions times characters in one evaluation. A search usually takes a fixed time for each character; where it
 * falls back to RE2's slowest engine, this much takes some seconds.
 */
export const maxSearchWork = 100_000_000
