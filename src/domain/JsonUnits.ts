/*
 * Measures how much of a text JSON makes of a value, cheaply: in units of at most eight characters and their punctuation. A JavaScript string
 * holds 536 million characters.
 */

/** As much as is sure to fit into one string, unless it is full of characters that JSON escapes. */
export const max = 25_000_000

/** Units of a value without what is in it; of a key, too. */
export const of = (value: unknown): number =>
  typeof value === "string" ? 1 + (value.length >>> 3) : typeof value === "number" ? 2 : 1
