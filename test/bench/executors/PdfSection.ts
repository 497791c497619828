import { Effect, Option } from "effect"
import * as BarePdfium from "./BarePdfium.ts"
import type { Document } from "./Documents.ts"
import * as Nodes from "./Nodes.ts"
import * as PdfToText from "./PdfToText.ts"
import * as Readable from "./Readable.ts"
import * as RoundRobin from "./RoundRobin.ts"
import { table } from "./Table.ts"

/** Pages a second, each document alone: `pdf_extractor` beside PDFium used bare and `pdftotext`. */
export const run = (documents: ReadonlyArray<Document>, seconds: number) =>
  Effect.gen(function* () {
    const pooled = yield* (yield* Nodes.withThreads(1))("pdf_extractor")
    const direct = yield* (yield* Nodes.onCallingThread)("pdf_extractor")
    const bare = yield* BarePdfium.make
    const startUp = yield* PdfToText.startUp
    const readable = yield* Readable.among(documents, pooled)
    const { millis, subjects } = yield* RoundRobin.run<Readable.Readable>(
      readable,
      [
        { name: executor, run: ({ item }) => pooled([item]) },
        { name: "the same on the calling thread", run: ({ item }) => direct([item]) },
        { name: "@embedpdf/pdfium bare", run: ({ path }) => bare(path) },
        ...(Option.isSome(startUp) ? [{ name: pdfToText, run: ({ path }: Document) => PdfToText.read(path) }] : [])
      ],
      seconds
    )
    const pages = Readable.counted(subjects, "pages_processed")
    const own = millis.get(executor) ?? 0
    const row = (name: string, took: number) => [name, ((pages / took) * 1_000).toFixed(0), (took / own).toFixed(2)]
    const rows = [...millis].map(([name, took]) => row(name, took))
    const native = millis.get(pdfToText)
    return [
      `PDF: ${subjects.length} of ${documents.length} documents, ${pages} pages (what all could read)`,
      table(
        ["", "pages/s", "executor : this"],
        [
          ...rows,
          native === undefined || Option.isNone(startUp)
            ? [`${pdfToText}: not installed (package poppler-utils)`, "", ""]
            : row(
                `${pdfToText}, without the ${startUp.value.toFixed(0)} ms that each takes to start`,
                native - startUp.value * subjects.length
              )
        ]
      )
    ].join("\n\n")
  }).pipe(Effect.scoped)

const executor = "pdf_extractor, one thread"
const pdfToText = "pdftotext, a process a document"
