import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { countCodePoints } from "../../python/CodePoints.ts"
import { type Content, nameOf, withData, withSummary } from "../../domain/Content.ts"
import * as Timestamp from "../../domain/Timestamp.ts"
import { isTrue } from "../../python/PythonTruth.ts"
import * as PythonText from "../../python/PythonText.ts"
import * as Executor from "../../executor/Executor.ts"
import { isObject, valueAt } from "../../executor/DottedPath.ts"
import * as PerItem from "../../executor/PerItem.ts"
import { firstCharacters, strip } from "../../python/PythonStrings.ts"
import * as Settings from "../../executor/Settings.ts"
import * as DocumentKey from "./gptrag/DocumentKey.ts"
import * as Title from "./gptrag/Title.ts"
import * as Utf8 from "./gptrag/Utf8.ts"

const settings = {
  ...PerItem.settings({ maxConcurrent: 5, anyConcurrency: true }),
  chunk_field: Settings.string({ description: "Key or path in data of the list of chunks.", default: "chunks" }),
  content_field: Settings.string({
    description: "Key of a chunk's text, and path in data of the whole text.",
    default: "text"
  }),
  max_chunk_size: Settings.integer({
    description: "A longer text is cut at this many bytes of UTF-8; the search index takes no more than 32766.",
    default: 32_766
  }),
  extract_title: Settings.boolean({ description: "Look for a heading in the whole text.", default: true }),
  title_from_chunks: Settings.boolean({
    description: "Look for it in the chunks, too, where there is no whole text.",
    default: false
  }),
  title_field: Settings.string({ description: "Path in data of the title; it goes before all others.", default: null }),
  max_title_length: Settings.integer({ description: "A longer title is cut; in characters.", default: 50 }),
  category_field: Settings.string({ description: "Path in data of the category.", default: null }),
  default_category: Settings.custom(
    "string",
    { description: "The category of documents without one.", default: "document" },
    (raw) => Either.right(strip(PythonText.ofValue(raw)))
  ),
  summary_field: Settings.string({ description: "Path in data of the summary.", default: "summary" }),
  source_value: Settings.string({
    description: "The source of all documents; else it is the source_type of each.",
    default: null
  }),
  related_images_field: Settings.string({
    description: "Path in data of the related images, for chunks without related_images.",
    default: null
  }),
  related_files_field: Settings.string({
    description: "Path in data of the related files, for chunks without related_files.",
    default: null
  }),
  embedding_field: Settings.string({
    description: "Key of a chunk's embedding (of data where there are no chunks), which becomes contentVector.",
    default: null
  }),
  id_prefix: Settings.string({ description: "Stands before every document's id.", default: null }),
  distinct_ids: Settings.boolean({
    description:
      "Put a hash into the ids, so that a.b and a-b don't get the same. Changes the ids of documents that are indexed already.",
    default: false
  }),
  parent_id_field: Settings.string({ description: "Path in data of the parent's id.", default: null }),
  url_field: Settings.string({ description: "Path in data of the address.", default: null }),
  output_field: Settings.string({ description: "Key of data for the documents.", default: "search_documents" }),
  add_output_metadata: Settings.boolean({
    description: "Write gptrag_search_index_documents into the summary.",
    default: false
  }),
  max_documents: Settings.integer({
    description: "Items with more chunks fail.",
    default: 100_000,
    min: 1,
    max: 100_000
  })
}

type Decoded = Settings.TypeOf<typeof settings>
type Fields = Readonly<Record<string, unknown>>

/** `gptrag_search_index_document_generator`: chunks, or the whole text, as documents of the GPT-RAG search index. */
export const executor = Executor.define({
  type: "gptrag_search_index_document_generator",
  aliases: ["gptrag_search_index_doc_generator", "gptrag_search_index_document_generator_executor"],
  category: "transform",
  name: "GPT-RAG Search Index Document Generator",
  description: "Makes documents for the search index of GPT-RAG out of chunks or text.",
  settings,
  advise: ({ max_chunk_size, max_title_length }) => [
    ...(max_chunk_size === 0 ? [oddly("max_chunk_size", "0, so every text is empty")] : []),
    ...(max_chunk_size < 0
      ? [oddly("max_chunk_size", `${max_chunk_size}, so every text loses its last ${-max_chunk_size} bytes`)]
      : []),
    ...(max_title_length < 0
      ? [
          oddly(
            "max_title_length",
            `${max_title_length}, so every title loses its last ${-max_title_length} characters`
          )
        ]
      : [])
  ],
  make: (settings, context) =>
    Effect.succeed(
      PerItem.perItem(context, settings, (item) =>
        Effect.gen(function* () {
          const fail = (message: string) => Executor.documentError(context, item, `${nameOf(item)}: ${message}`)
          const chunks = valueIn(item.data, settings.chunk_field)
          if (!Array.isArray(chunks) || chunks.length === 0) {
            const found = valueAt(item.data, settings.content_field)
            const text = isTrue(found) ? found : ""
            if (typeof text !== "string")
              return yield* fail(`data.${settings.content_field} is no text (setting content_field).`)
            const whole = common(settings, item, [])
            return yield* finished(settings, item, [document(settings, item, whole, item.data, text, 0, true)])
          }
          if (chunks.length > settings.max_documents) {
            return yield* fail(
              `data.${settings.chunk_field} has ${chunks.length} chunks, more than ${settings.max_documents} (setting max_documents).`
            )
          }
          const shared = common(settings, item, chunks)
          const documents: Array<Fields> = []
          const cut: Array<unknown> = []
          for (const [index, chunk] of chunks.entries()) {
            const text = isObject(chunk) ? textOf(settings, chunk) : undefined
            if (text === undefined || !isObject(chunk)) {
              const problem = `chunk ${index} of data.${settings.chunk_field} has no text at ${settings.content_field} (setting content_field)`
              if (context.failOnError) return yield* fail(`${problem}.`)
              yield* Effect.logWarning(`${nameOf(item)}: ${problem}, so it is passed over.`)
              cut.push(chunk)
              continue
            }
            const short = Utf8.firstBytes(text, settings.max_chunk_size)
            cut.push({ ...chunk, [settings.content_field]: short })
            documents.push(document(settings, item, shared, chunk, short, index, false))
          }
          return yield* finished(settings, withChunks(settings, item, cut), documents)
        })
      )
    )
})

const oddly = (setting: string, what: string): Settings.SettingProblem => ({
  path: [setting],
  message: `The setting ${setting} is ${what}.`
})

/** A key of `data` as it stands, dots included, else a path. */
const valueIn = (data: Fields, field: string): unknown =>
  Object.hasOwn(data, field) ? data[field] : valueAt(data, field)

const textOf = (settings: Decoded, chunk: Fields): string | undefined => {
  const text = Object.hasOwn(chunk, settings.content_field) ? chunk[settings.content_field] : ""
  return typeof text === "string" ? text : undefined
}

/** The chunks with their texts as they are indexed, where they were; the original writes them back so. */
const withChunks = (settings: Decoded, item: Content, chunks: ReadonlyArray<unknown>): Content => {
  const field = settings.chunk_field
  return Object.hasOwn(item.data, field)
    ? withData(item, { [field]: chunks })
    : { ...item, data: replaced(item.data, field.split("."), chunks) }
}

const replaced = (value: Fields, [key = "", ...rest]: ReadonlyArray<string>, by: unknown): Fields => {
  const inner = value[key]
  return { ...value, [key]: rest.length > 0 && isObject(inner) ? replaced(inner, rest, by) : by }
}

/** What all documents of an item have alike; the rest is filled in for each. */
const common = (settings: Decoded, item: Content, chunks: ReadonlyArray<unknown>): Fields => {
  const { id } = item
  const place = [id?.container, id?.path].filter((part) => part !== null && part !== undefined && part !== "")
  const path = place.length === 0 ? "" : `/${place.join("/")}`
  return {
    parent_id: pathValue(item, settings.parent_id_field) ?? path,
    metadata_storage_path: path,
    metadata_storage_name: id?.filename ?? "",
    metadata_storage_last_modified: timeText(id?.metadata?.["last_modified"]),
    metadata_security_group_ids: [],
    metadata_security_user_ids: [],
    metadata_security_rbac_scope: [],
    title: start(titleOf(settings, item, chunks), settings.max_title_length),
    category: textAt(item, settings.category_field) || settings.default_category,
    filepath: path,
    url: pathValue(item, settings.url_field) ?? id?.canonical_id ?? "",
    summary: textAt(item, settings.summary_field),
    source: settings.source_value ?? id?.source_type ?? ""
  }
}

const document = (
  settings: Decoded,
  item: Content,
  shared: Fields,
  chunk: Fields,
  text: string,
  index: number,
  whole: boolean
): Fields => {
  const content = whole ? Utf8.firstBytes(text, settings.max_chunk_size) : text
  const base = settings.distinct_ids ? DocumentKey.distinctBase(item.id) : DocumentKey.base(item.id)
  const own = (key: string, otherwise: unknown): unknown =>
    !whole && Object.hasOwn(chunk, key) ? chunk[key] : otherwise
  const related = (key: string, field: string | null): unknown =>
    field === null ? [] : trueOr(own(key, null), pathValue(item, field) ?? [])
  const vector = settings.embedding_field === null ? undefined : valueIn(chunk, settings.embedding_field)
  return {
    id: DocumentKey.ofChunk(settings.id_prefix ?? "", base, index),
    ...shared,
    chunk_id: index,
    content,
    imageCaptions: "",
    page: own("page_number", 0),
    offset: own("offset", 0),
    length: countCodePoints(content),
    relatedImages: related("related_images", settings.related_images_field),
    relatedFiles: related("related_files", settings.related_files_field),
    ...(Array.isArray(vector) ? { contentVector: vector } : {})
  }
}

/** The title field, else a heading, else the file's name. */
const titleOf = (settings: Decoded, item: Content, chunks: ReadonlyArray<unknown>): string => {
  const given = textAt(item, settings.title_field)
  if (given !== "") return given
  return (settings.extract_title ? headingOf(settings, item, chunks) : undefined) ?? Title.ofFile(item.id?.filename)
}

const headingOf = (settings: Decoded, item: Content, chunks: ReadonlyArray<unknown>): string | undefined => {
  const text = valueAt(item.data, settings.content_field)
  if (typeof text === "string") return Title.heading(text)
  if (!settings.title_from_chunks) return undefined
  for (const chunk of chunks) {
    const found = isObject(chunk) ? Title.heading(textOf(settings, chunk) ?? "") : undefined
    if (found !== undefined) return found
  }
  return undefined
}

/** What is there, unless Python counts it as false. */
const pathValue = (item: Content, path: string | null): unknown =>
  path === null ? undefined : trueOr(valueAt(item.data, path), undefined)

const trueOr = (value: unknown, otherwise: unknown): unknown => (isTrue(value) ? value : otherwise)

const textAt = (item: Content, path: string | null): string => {
  const value = pathValue(item, path)
  return value === undefined ? "" : PythonText.ofValue(value)
}

/** `text[:count]`: a negative count leaves out the last characters. */
const start = (text: string, count: number): string =>
  firstCharacters(text, count < 0 ? Math.max(0, countCodePoints(text) + count) : count)

const timeText = (value: unknown): unknown =>
  value instanceof Date ? Timestamp.format(value.getTime()) : (value ?? "")

const finished = (settings: Decoded, item: Content, documents: ReadonlyArray<Fields>): Effect.Effect<Content> =>
  Effect.map(Timestamp.now, (timestamp) => {
    const generated = withData(item, { [settings.output_field]: documents })
    return settings.add_output_metadata
      ? withSummary(generated, {
          gptrag_search_index_documents: { documents_generated: documents.length, timestamp }
        })
      : generated
  })
