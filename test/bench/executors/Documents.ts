import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import { Effect } from "effect"
import process from "node:process"
import * as Office from "../../../src/cli/demo/Office.ts"
import * as Pdf from "../../../src/cli/demo/Pdf.ts"
import type { Content } from "../../../src/domain/Content.ts"
import * as Prose from "./Prose.ts"

export type Kind = "pdf" | "docx" | "pptx" | "xlsx"

export interface Document {
  readonly path: string
  readonly item: Content
}

export interface Documents {
  /** What they are, for people. */
  readonly origin: string
  readonly of: (kind: Kind) => ReadonlyArray<Document>
}

/** The real documents beside the checkout, `../shared/corpus`, or where those are absent ones that are written here. */
export const load = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const corpus = path.resolve(process.cwd(), "..", "shared", "corpus")
  const found = yield* Effect.forEach(kinds, (kind) =>
    Effect.map(
      Effect.orElseSucceed(fs.readDirectory(path.join(corpus, kind)), () => []),
      (names) =>
        [
          kind,
          names
            .filter((name) => name.endsWith(`.${kind}`))
            .toSorted()
            .map((name) => documentOf(path.join(corpus, kind, name), name))
        ] as const
    )
  )
  if (found.every(([, documents]) => documents.length > 0))
    return documentsOf("real documents (../shared/corpus)", found)

  const folder = yield* fs.makeTempDirectoryScoped({ prefix: "bench-executors-" })
  const written = yield* Effect.forEach(kinds, (kind) =>
    Effect.map(
      Effect.forEach(Array.from({ length: 10 }).keys(), (index) => {
        const name = `${kind}-${index}.${kind}`
        const file = path.join(folder, name)
        return Effect.as(fs.writeFile(file, write(kind, index)), documentOf(file, name))
      }),
      (documents) => [kind, documents] as const
    )
  )
  return documentsOf("documents written for this run, since ../shared/corpus is absent", written)
})

const kinds: ReadonlyArray<Kind> = ["pdf", "docx", "pptx", "xlsx"]

const documentsOf = (
  origin: string,
  documents: ReadonlyArray<readonly [kind: Kind, documents: ReadonlyArray<Document>]>
): Documents => {
  const byKind = new Map(documents)
  return { origin, of: (kind) => byKind.get(kind) ?? [] }
}

export const documentOf = (path: string, name: string): Document => ({
  path,
  item: {
    id: {
      canonical_id: name,
      unique_id: name,
      source_name: null,
      source_type: null,
      container: null,
      path,
      filename: name,
      metadata: null
    },
    summary_data: {},
    data: { temp_file_path: path },
    executor_logs: []
  }
})

/** A document of ten to fifty-five pages, or as many slides, or ten times as many rows. */
const write = (kind: Kind, index: number): Uint8Array => {
  const size = 10 + 5 * index
  const paragraphs = (count: number) => Array.from({ length: count }, (_, line) => Prose.sentence(index * 1_000 + line))
  if (kind === "pdf")
    return Pdf.writePdf(
      `Document ${index}`,
      Array.from({ length: size }, () => paragraphs(45))
    )
  if (kind === "docx") return Office.writeWord(paragraphs(size * 20))
  if (kind === "pptx") return Office.writePowerPoint(Array.from({ length: size }, () => paragraphs(8)))
  const row = (number: number) => [Prose.sentence(number), ...Array.from({ length: 9 }, (_, column) => number * column)]
  return Office.writeExcel(
    "Sheet",
    Array.from({ length: size * 10 }, (_, number) => row(number))
  )
}
