import { Effect, Option } from "effect"
import * as BarePdfium from "./BarePdfium.ts"
import type { Document } from "./Documents.ts"
import * as Nodes from "./Nodes.ts"
import * as PdfToText from "./PdfToText.ts"
import * as PyMuPdf from "./PyMuPdf.ts"
import * as Readable from "./Readable.ts"
import * as RoundRobin from "./RoundRobin.ts"
import { table } from "./Table.ts"

/** Pages a second, each document alone: `pdf_extractor` beside PDFium used bare and `pdftotext`. */
export const run = (documents: ReadonlyArray<Document>, seconds: number) =>
  Effect.gen(function* () {
    const pooled = yield* (yield* Nodes.withThreads(1))("pdf_extractor")
    const direct = yield* (yield* Nodes.onCallingThread)("pdf_extractor")
    const bare = yield* BarePdfium.make
    const natives = [
      { name: pdfToText, source: "package poppler-utils", startUp: yield* PdfToText.startUp, read: PdfToText.read },
      { name: pyMuPdf, source: "Debian's python3-fitz", startUp: yield* PyMuPdf.startUp, read: PyMuPdf.read }
    ]
    const installed = natives.filter((native) => Option.isSome(native.startUp))
    const readable = yield* Readable.among(documents, pooled)
    const { subjects, times } = yield* RoundRobin.run<Readable.Readable>(
      readable,
      [
        { name: executor, run: ({ item }) => pooled([item]) },
        { name: "the same on the calling thread", run: ({ item }) => direct([item]) },
        { name: "@embedpdf/pdfium bare", run: ({ path }) => bare(path) },
        ...installed.map(({ name, read }) => ({ name, run: ({ path }: Document) => read(path) }))
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
      natives.some((native) => native.name === name) ? "" : (cpu / (own?.cpu ?? NaN)).toFixed(2)
    ])
    const nativeRows = natives.map(({ name, source, startUp }) => {
      const native = times.get(name)
      return native === undefined || Option.isNone(startUp)
        ? [`${name}: not installed (${source})`, "", "", ""]
        : [
            ...row(
              `${name}, without the ${startUp.value.toFixed(0)} ms that each takes to start`,
              Math.max(native.wall - startUp.value * subjects.length, 0)
            ),
            ""
          ]
    })
    return [
      `PDF: ${subjects.length} of ${documents.length} documents, ${pages} pages (what all could read)`,
      table(["", "pages/s", "speed, executor : this", "CPU, this : executor"], [...rows, ...nativeRows])
    ].join("\n\n")
  }).pipe(Effect.scoped)

const executor = "pdf_extractor, one thread"
const pdfToText = "pdftotext, a process a document"
const pyMuPdf = "PyMuPDF, a process a document"
