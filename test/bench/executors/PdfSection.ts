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
    const { subjects, times } = yield* RoundRobin.run<Readable.Readable>(
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
    const own = times.get(executor)
    const row = (name: string, wall: number) => [
      name,
      ((pages / wall) * 1_000).toFixed(0),
      (wall / (own?.wall ?? NaN)).toFixed(2)
    ]
    const rows = [...times].map(([name, { cpu, wall }]) => [
      ...row(name, wall),
      // the processor time of another process is not seen
      name === pdfToText ? "" : (cpu / (own?.cpu ?? NaN)).toFixed(2)
    ])
    const native = times.get(pdfToText)
    return [
      `PDF: ${subjects.length} of ${documents.length} documents, ${pages} pages (what all could read)`,
      table(
        ["", "pages/s", "speed, executor : this", "CPU, this : executor"],
        [
          ...rows,
          native === undefined || Option.isNone(startUp)
            ? [`${pdfToText}: not installed (package poppler-utils)`, "", "", ""]
            : [
                ...row(
                  `the same without the ${startUp.value.toFixed(0)} ms that each takes to start`,
                  native.wall - startUp.value * subjects.length
                ),
                ""
              ]
        ]
      )
    ].join("\n\n")
  }).pipe(Effect.scoped)

const executor = "pdf_extractor, one thread"
const pdfToText = "pdftotext, a process a document"
