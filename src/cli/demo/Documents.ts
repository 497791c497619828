import * as Effect from "effect/Effect"
import * as Pdf from "./Pdf.ts"
import type { SourceDocument } from "./SourceDocument.ts"

const report = Pdf.writePdf("Annual report", [
  [
    "Annual report of the Harbour Library",
    "",
    "The library lent 84,210 books this year, nine percent more than in the year before.",
    "Most of the growth came from the reading room by the quay, which opened in March.",
    "Visitors asked most often for travel guides, cook books and books for children."
  ],
  [
    "Outlook",
    "",
    "Next year the catalogue moves to a new system. Old cards are kept in the archive.",
    "The council has agreed to two more evenings a week, on Tuesdays and Thursdays."
  ]
])

const minutes = Pdf.writePdf("Minutes", [
  [
    "Minutes of the meeting on 3 May",
    "",
    "Present: Amara, Björn, Chiara. Excused: Dele.",
    "1. The budget for the reading room was approved.",
    "2. Chiara looks for a carpenter for the new shelves.",
    "3. The next meeting is on 7 June at ten o'clock."
  ]
])

/** What a download leaves behind when the connection breaks: the start of a PDF, without pages and directory. */
const torn = minutes.subarray(0, 120)

const of = (name: string, bytes: Uint8Array): SourceDocument => ({ name, bytes: Effect.succeed(bytes) })

/** The documents that come with the demo: each of another kind, and one that can't be read. */
export const samples: ReadonlyArray<SourceDocument> = [
  of("reports/annual-report.pdf", report),
  of("minutes.pdf", minutes),
  of("torn-download.pdf", torn)
]
