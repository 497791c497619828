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
