import * as Effect from "effect/Effect"
import * as Office from "./Office.ts"
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

const shelves = Office.writeWord([
  "Offer for shelves",
  "Twelve shelves of oak, 210 cm high, with adjustable boards, delivered and mounted.",
  "The price is 4,860 euros. The offer holds until the end of June."
])

const plans = Office.writePowerPoint([
  ["The reading room", "Forty places, twelve of them with sockets", "Open until nine in the evening"],
  ["What is next", "A new catalogue in spring", "A lift in autumn"]
])

const loans = Office.writeExcel("Loans", [
  ["Month", "Books", "Films"],
  ["January", 6120, 810],
  ["February", 5890, 764],
  ["March", 8245, 1002]
])

const members = [
  "number,name,since",
  "1001,Amara Okafor,2019-04-01",
  '1002,"Lindqvist, Björn",2021-11-15',
  "1003,Chiara Rossi,2024-02-29"
].join("\n")

const news = `<!doctype html>
<html lang="en"><head><title>News</title></head>
<body><article><h1>The reading room is open</h1>
<p>From Monday the new reading room by the quay is open to everybody, from nine to nine.</p>
<p>There are forty places, and coffee in the <a href="https://example.org/hall">hall</a>.</p></article></body></html>`

const rules = `House rules

Please speak quietly, keep food outside and bring books back in time.
Who loses a card gets a new one at the desk, for two euros.`

const of = (name: string, content: Uint8Array | string): SourceDocument => ({
  name,
  bytes: Effect.succeed(typeof content === "string" ? Buffer.from(content, "utf8") : content)
})

/** The documents that come with the demo: each of another kind, and one that can't be read. */
export const samples: ReadonlyArray<SourceDocument> = [
  of("reports/annual-report.pdf", report),
  of("minutes.pdf", minutes),
  of("offer.docx", shelves),
  of("plans.pptx", plans),
  of("loans.xlsx", loans),
  of("members.csv", members),
  of("news.html", news),
  of("rules.txt", rules),
  of("torn-download.pdf", torn)
]

/** What the demo asks the index about them. */
export const questions: ReadonlyArray<string> = [
  "When is the next meeting?",
  "Until when does the price of the offer hold?",
  "How many books were lent this year?"
]
