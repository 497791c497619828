import { Effect, Option } from "effect"
import * as BarePdfium from "./BarePdfium.ts"
import type { Document } from "./Documents.ts"
import * as Nodes from "./Nodes.ts"
import * as PdfToText from "./PdfToText.ts"
import * as PyMuPdf from "./PyMuPdf.ts"
import * as Readable from "./Readable.ts"
import * as RoundRobin from "./RoundRobin.ts"
import { table } from "./Table.ts"

/** Pages a second, each document alone: `pdf_extractor` beside PDFium used bare, `pdftotext` and PyMuPDF. */
export const run = (documents: ReadonlyArray<Document>, seconds: number) =>
  Effect.gen(function* () {
    const pooled = yield* (yield* Nodes.withThreads(1))("pdf_extractor")
    const direct = yield* (yield* Nodes.onCallingThread)("pdf_extractor")
    const bare = yield* BarePdfium.make
    const startUp = yield* PdfToText.startUp
    const hasPyMuPdf = yield* PyMuPdf.isInstalled
    const readable = yield* Readable.among(documents, pooled)
    const { subjects, times } = yield* RoundRobin.run<Readable.Readable>(
      readable,
      [
        { name: executor, run: ({ item }) => pooled([item]) },
        { name: "the same on the calling thread", run: ({ item }) => direct([item]) },
        { name: "@embedpdf/pdfium bare", run: ({ path }) => bare(path) },
        ...(Option.isSome(startUp) ? [{ name: pdfToText, run: ({ path }: Document) => PdfToText.read(path) }] : []),
        ...(hasPyMuPdf ? [{ name: pyMuPdf, run: ({ path }: Document) => PyMuPdf.read(path) }] : [])
      ],
      seconds
    )
    const pages = Readable.counted(subjects, "pages_processed")
    const own = times.get(executor)
    // a process that took no longer than one without work has no speed
    const row = (name: string, wall: number) => [
      name,
      ...(wall > 0 ? [((pages / wall) * 1_000).toFixed(0), (wall / (own?.wall ?? NaN)).toFixed(2)] : ["", ""])
    ]
    const rows = [...times].map(([name, { cpu, wall }]) => [
      // what the start of PyMuPDF takes is in the time of the clock alone
      ...row(name, name === pyMuPdf ? 0 : wall),
      // pdftotext does not tell its processor time
      name === pdfToText ? "" : (cpu / (own?.cpu ?? NaN)).toFixed(2)
    ])
    const started = times.get(pdfToText)
    const withoutStart = Option.match(startUp, {
      onNone: () => [[`${pdfToText}: not installed (package poppler-utils)`, "", "", ""]],
      onSome: (millis) => [
        [
          ...row(
            `${pdfToText}, without the ${millis.toFixed(0)} ms that each takes to start`,
            (started?.wall ?? 0) - millis * subjects.length
          ),
          ""
        ]
      ]
    })
    const absent = hasPyMuPdf ? [] : [[`${pyMuPdf}: not installed (Debian's python3-fitz)`, "", "", ""]]
    if (subjects.length === 0) return `PDF: none of ${documents.length} documents could be read by all in time`
    return [
      `PDF: ${subjects.length} of ${documents.length} documents, ${pages} pages (what all could read)`,
      table(["", "pages/s", "speed, executor : this", "CPU, this : executor"], [...rows, ...withoutStart, ...absent])
    ].join("\n\n")
  }).pipe(Effect.scoped)

const executor = "pdf_extractor, one thread"
const pdfToText = "pdftotext, a process a document"
const pyMuPdf = "PyMuPDF, CPU of its process after its start"
