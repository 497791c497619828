import { existsSync, readFileSync } from "node:fs"

/** Files of golden vectors, and how many bytes of each the repository keeps. */
export const kept: Readonly<Record<string, number>> = {
  "blob_discovery.jsonl": 36_000,
  "blob_output_paths.jsonl": 36_000,
  "conditions.jsonl": 130_000,
  "csv_extractor.jsonl": 36_000,
  "document_sets.jsonl": 36_000,
  "fan_in_aggregator.jsonl": 36_000,
  "field_mapper.jsonl": 36_000,
  "field_selector.jsonl": 36_000,
  "gptrag_generator.jsonl": 36_000,
  "pipelines_run.jsonl": 60_000,
  "table_row_splitter.jsonl": 36_000,
  "text_chunker.jsonl": 36_000,
  "yaml11.jsonl": 45_000
}

const whole = new URL("../../../shared/golden/", import.meta.url)

export const trimmed = new URL("../golden/", import.meta.url)

/** The lines of the complete file beside the checkout; undefined where there is none. */
export const complete = (file: string): ReadonlyArray<string> | undefined => {
  const url = new URL(file, whole)
  return existsSync(url) ? linesOf(url) : undefined
}

/** The lines of the complete file where it lies beside the checkout, else of the part that the repository keeps. */
export const lines = (file: string): ReadonlyArray<string> => complete(file) ?? linesOf(new URL(file, trimmed))

const linesOf = (url: URL): ReadonlyArray<string> =>
  readFileSync(url, "utf8")
    .split("\n")
    .filter((line) => line !== "")

interface Vector {
  readonly id: string
  readonly mode?: string
  readonly error?: { readonly kind?: string }
  readonly defects?: ReadonlyArray<string>
  readonly quirks?: ReadonlyArray<string>
  readonly steps?: ReadonlyArray<{ readonly type?: string }>
}

/** What a vector is about, as far as it says so itself. */
const subject = (line: string): string => {
  const { defects = [], error, mode, quirks = [], steps = [] } = JSON.parse(line) as Vector
  return JSON.stringify([mode, error?.kind, defects, quirks, steps.map(({ type }) => type)])
}

/** So much of the lines as fits: of each subject in turn the next shortest, until the bytes are spent. In the order of the file, and the same each time. */
export const trim = (all: ReadonlyArray<string>, bytes: number): ReadonlyArray<string> => {
  const subjects = new Map<string, Array<string>>()
  for (const line of all) {
    const about = subject(line)
    subjects.set(about, [...(subjects.get(about) ?? []), line])
  }
  const rounds = [...subjects.values()].map((lines) => lines.toSorted((a, b) => a.length - b.length))
  const taken = new Set<string>()
  let left = bytes
  for (let round = 0; round < all.length; round++) {
    for (const lines of rounds) {
      const line = lines[round]
      if (line === undefined) continue
      const size = Buffer.byteLength(line) + 1
      if (size > left) continue
      left -= size
      taken.add(line)
    }
  }
  return all.filter((line) => taken.has(line))
}
