import * as Effect from "effect/Effect"
import { type Content, nameOf, withData, withSummary } from "../../domain/Content.ts"
import * as Executor from "../../executor/Executor.ts"
import { valueAt } from "../../executor/DottedPath.ts"
import * as PerItem from "../../executor/PerItem.ts"
import * as Settings from "../../executor/Settings.ts"
import * as Chunk from "./chunking/Chunk.ts"
import * as Measure from "./chunking/Measure.ts"
import * as PageMap from "./chunking/PageMap.ts"
import * as Separators from "./chunking/Separators.ts"
import * as Slices from "./chunking/Slices.ts"
import * as Splitter from "./chunking/Splitter.ts"
import * as TokenCounter from "./chunking/TokenCounter.ts"
import * as LongWork from "./chunking/LongWork.ts"
import type { Step } from "./chunking/LongWork.ts"

const settings = {
  ...PerItem.settings(),
  input_field: Settings.string({ description: "Path in data of the text to split.", default: "text" }),
  output_field: Settings.string({ description: "Key of data for the chunks.", default: "chunks" }),
  chunk_size: Settings.integer({
    description: "The longest chunk without its overlap, in the unit of length_function.",
    default: 1000,
    min: 100,
    max: 10_000
  }),
  chunk_overlap: Settings.integer({
    description: "How much of the end of the chunk before it a chunk repeats; less than chunk_size.",
    default: 200,
    min: 0,
    max: 2000
  }),
  separators: Separators.setting,
  length_function: Settings.choice(["characters", "words", "tokens"], {
    description: "The unit of sizes: Unicode characters, words, or tokens as token_count says.",
    default: "characters"
  }),
  token_count: Settings.choice(["estimate", ...TokenCounter.encodings], {
    description:
      "How tokens are counted: estimate is four characters each, rounded down; the others are the exact counts of OpenAI's encodings.",
    default: "estimate"
  }),
  keep_separator: Settings.boolean({
    description: "Leave the separator at the end of the piece before it.",
    default: true
  }),
  strip_whitespace: Settings.boolean({ description: "Cut white space off both ends of a chunk.", default: true }),
  min_chunk_size: Settings.integer({
    description: "A shorter chunk is joined with the next one; at most chunk_size.",
    default: 100,
    min: 0,
    max: 5000
  }),
  add_metadata: Settings.boolean({ description: "Add metadata to each chunk.", default: true }),
  include_page_numbers: Settings.boolean({
    description: "Say on which pages, slides or sheets a chunk lies, when the extractor listed them.",
    default: true
  }),
  include_offsets: Settings.boolean({
    description:
      "Add offset and length to each chunk: the characters of the text before it, and those of its own part of the text (an overlap not counted, unless exact_slices is on).",
    default: false
  }),
  exact_slices: Settings.boolean({
    description:
      "Make every chunk an exact slice of the text that is no longer than chunk_size with its overlap. False: the overlap comes on top and is joined with a blank; with separators of your own, as in the original, those that are not kept don't count, short chunks are joined at any size, and a piece without separators stays whole.",
    default: false
  })
}

type Decoded = Settings.TypeOf<typeof settings>

/** `recursive_text_chunker`: splits a text into overlapping chunks. A text without content has no chunks. */
export const executor = Executor.define({
  type: "recursive_text_chunker",
  aliases: ["text_splitter"],
  category: "transform",
  name: "Recursive Text Chunker",
  description: "Splits text into overlapping chunks, at paragraphs where it can, else at lines, sentences or words.",
  settings,
  check: (settings) => [
    ...(settings.chunk_overlap >= settings.chunk_size
      ? [{ path: ["chunk_overlap"], message: "The setting chunk_overlap must be less than chunk_size." }]
      : []),
    ...(settings.min_chunk_size > settings.chunk_size
      ? [{ path: ["min_chunk_size"], message: "The setting min_chunk_size must be at most chunk_size." }]
      : [])
  ],
  make: (settings, context) =>
    Effect.map(
      settings.length_function === "tokens" && settings.token_count !== "estimate"
        ? TokenCounter.load(settings.token_count)
        : Effect.succeed(null),
      (counter) => {
        const ruler = rulerOf(settings, counter)
        return PerItem.perItem(context, settings, (item) => {
          const found = textOf(settings, item)
          return found.ok
            ? Effect.map(
                LongWork.collect(
                  entriesOf(settings, found.text, chunksOf(settings, ruler, item, found.text)),
                  ({ characters }) => characters,
                  counter === null ? charactersPerTurn : charactersPerTurn / 8
                ),
                (entries) => withChunks(settings, item, entries)
              )
            : Effect.fail(Executor.documentError(context, item, found.message))
        })
      }
    )
})

const rulerOf = (settings: Decoded, counter: TokenCounter.TokenCounter | null): Chunk.Ruler => ({
  lengthFunction: settings.length_function,
  measure: (text) =>
    settings.length_function === "words"
      ? Measure.words(text, settings.chunk_size)
      : settings.length_function === "characters"
        ? Measure.characters(text)
        : counter === null
          ? Measure.estimatedTokens(text)
          : Measure.exactTokens(text, counter, settings.chunk_size)
})

type TextFound = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly message: string }

const textOf = (settings: Decoded, item: Content): TextFound => {
  const value = valueAt(item.data, settings.input_field)
  if (typeof value === "string") return { ok: true, text: value }
  const place = `data.${settings.input_field} of ${nameOf(item)}`
  return value === undefined || value === null
    ? { ok: false, message: `There is no text to split at ${place} (setting input_field).` }
    : { ok: false, message: `What is at ${place} is no text but ${kindOf(value)} (setting input_field).` }
}

/** Some milliseconds of work; real tokens take longer to count. */
const charactersPerTurn = 2 ** 17

function* chunksOf(settings: Decoded, ruler: Chunk.Ruler, item: Content, text: string): Generator<Step<Chunk.Chunk>> {
  const measure = ruler.measure(text)
  yield text.length
  const pages = settings.include_page_numbers ? PageMap.find(item.data, settings.input_field, text) : null
  yield text.length
  const options = {
    size: settings.chunk_size,
    overlap: settings.chunk_overlap,
    minSize: settings.min_chunk_size,
    separators: settings.separators,
    keepSeparator: settings.keep_separator,
    stripWhitespace: settings.strip_whitespace,
    // lists of separators that people give are measured as in the original, which knew no other
    strict: settings.separators === Separators.usual
  }
  yield* settings.exact_slices
    ? Slices.slices(text, measure, pages, options)
    : Chunk.overlapAndMerge(
        text,
        Chunk.ofPieces(text, Splitter.split(text, measure, options), pages),
        measure,
        ruler,
        options
      )
}

interface Entry {
  readonly characters: number
  readonly chunk: Readonly<Record<string, unknown>>
}

/** The chunks as the output lists them. */
function* entriesOf(settings: Decoded, text: string, chunks: Iterable<Step<Chunk.Chunk>>): Generator<Step<Entry>> {
  const source = settings.include_offsets ? Measure.characters(text) : null
  let index = 0
  let offset = 0
  let position = 0
  for (const chunk of chunks) {
    if (typeof chunk === "number") {
      yield chunk
      continue
    }
    const characters = Measure.characters(chunk.text).of(0, chunk.text.length)
    offset += source?.of(position, chunk.start) ?? 0
    position = chunk.start
    yield {
      characters,
      chunk: {
        text: chunk.text,
        chunk_index: index++,
        page_number: chunk.pages[0] ?? null,
        ...(source === null ? {} : { offset, length: source.of(chunk.start, chunk.end) }),
        ...(settings.add_metadata
          ? {
              metadata: {
                char_count: characters,
                word_count: Measure.words(chunk.text).of(0, chunk.text.length),
                split_level: chunk.level,
                separator_used: chunk.separator,
                page_numbers: chunk.pages.length > 0 ? chunk.pages : null
              }
            }
          : {})
      }
    }
  }
}

const withChunks = (settings: Decoded, item: Content, entries: ReadonlyArray<Entry>): Content => {
  const characters = entries.reduce((sum, entry) => sum + entry.characters, 0)
  return withSummary(withData(item, { [settings.output_field]: entries.map(({ chunk }) => chunk) }), {
    chunks_created: entries.length,
    avg_chunk_size: entries.length === 0 ? 0 : Math.floor(characters / entries.length),
    chunking_method: "recursive"
  })
}

const kindOf = (value: unknown): string =>
  Array.isArray(value) ? "a list" : typeof value === "object" ? "a mapping" : `a ${typeof value}`
