/** What a text may cost at most; a text beyond is refused with an error that names the limit. */
export interface Limits {
  /** Length of the text in UTF-8 bytes. */
  readonly bytes: number
  /** Lists and mappings within one another, aliases followed. */
  readonly depth: number
  /** Values and keys, each alias and merge counted as often as its content appears. */
  readonly nodes: number
  /** Aliases written in the text. */
  readonly aliases: number
}

export const defaults: Limits = { bytes: 1024 * 1024, depth: 64, nodes: 100_000, aliases: 1_000 }
