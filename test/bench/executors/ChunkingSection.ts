import { Effect, Option } from "effect"
import type { Content } from "../../../src/domain/Content.ts"
import * as Measure from "../../../src/executors/transform/chunking/Measure.ts"
import * as Separators from "../../../src/executors/transform/chunking/Separators.ts"
import * as Splitter from "../../../src/executors/transform/chunking/Splitter.ts"
import type { Documents } from "./Documents.ts"
import * as LangchainSplitter from "./LangchainSplitter.ts"
import * as Nodes from "./Nodes.ts"
import * as Prose from "./Prose.ts"
import * as Readable from "./Readable.ts"
import * as RoundRobin from "./RoundRobin.ts"
import { table } from "./Table.ts"

/** Megabytes a second of `recursive_text_chunker` beside the splitter of LangChain, in chunks of 1,000 characters that overlap by 200. */
export const run = (documents: Documents, seconds: number) =>
  Effect.gen(function* () {
    const nodes = yield* Nodes.onCallingThread
    const chunker = yield* nodes("recursive_text_chunker", sizes)
    const plain = yield* nodes("recursive_text_chunker", { ...sizes, add_metadata: false })
    const slices = yield* nodes("recursive_text_chunker", { ...sizes, exact_slices: true })
    const langchain = yield* LangchainSplitter.make(sizes.chunk_size, sizes.chunk_overlap)
    const { text, what } = yield* textOf(documents)
    const { times } = yield* RoundRobin.run(
      piecesOf(text),
      [
        { name: executor, run: (text) => chunker([itemOf(text)]) },
        { name: "the same without metadata", run: (text) => plain([itemOf(text)]) },
        { name: "the same with exact_slices", run: (text) => slices([itemOf(text)]) },
        {
          name: "its splitter alone, no overlap and no metadata",
          run: (text) => Effect.sync(() => Array.from(Splitter.split(text, Measure.characters(text), splitting)))
        },
        ...(Option.isSome(langchain) ? [{ name: splitters, run: langchain.value }] : [])
      ],
      seconds
    )
    const megabytes = Buffer.byteLength(text) / 1e6
    const own = times.get(executor)
    return [
      `Chunking: ${megabytes.toFixed(1)} MB of ${what}`,
      table(
        ["", "MB/s", "speed, executor : this", "CPU, this : executor"],
        [
          ...[...times].map(([name, { cpu, wall }]) => [
            name,
            ((megabytes / wall) * 1_000).toFixed(0),
            (wall / (own?.wall ?? NaN)).toFixed(2),
            (cpu / (own?.cpu ?? NaN)).toFixed(2)
          ]),
          ...(Option.isNone(langchain)
            ? [[`${splitters}: not installed (${LangchainSplitter.install})`, "", "", ""]]
            : [])
        ]
      )
    ].join("\n\n")
  }).pipe(Effect.scoped)

const executor = "recursive_text_chunker"
const splitters = "@langchain/textsplitters"
const sizes = { chunk_size: 1_000, chunk_overlap: 200 }
const splitting = {
  size: 1_000,
  separators: Separators.usual,
  keepSeparator: true,
  stripWhitespace: true,
  strict: true
}
const length = 4_000_000

/** The texts of the PDF and Word documents, one after another. */
const textOf = (documents: Documents) =>
  Effect.gen(function* () {
    const node = yield* (yield* Nodes.withThreads(1))("document_extractor", { on_invalid_file: "fail" })
    const read = yield* Readable.among([...documents.of("pdf"), ...documents.of("docx")], node)
    const texts = read.map(({ result }) => (result.data["document_output"] as { readonly text: string }).text)
    const text = texts.join("\n\n").slice(0, length)
    return text.length < length / 4
      ? { text: Prose.text(length), what: "text written for this run" }
      : { text, what: "text from the PDF and Word documents" }
  })

/** Of a length that a busy machine now and then lets through in one go. */
const piecesOf = (text: string): ReadonlyArray<string> => {
  const size = 250_000
  return Array.from({ length: Math.ceil(text.length / size) }, (_, index) =>
    text.slice(index * size, (index + 1) * size)
  )
}

const itemOf = (text: string): Content => ({ id: null, summary_data: {}, data: { text }, executor_logs: [] })
