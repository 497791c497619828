/** Longest query, in UTF-16 units. */
export const maxLength = 50_000

/** Expressions and subqueries inside each other. */
export const maxNesting = 50

/** Expressions that one query may evaluate, and characters that its functions may make: some seconds of work. */
export const maxWork = 20_000_000
