import { type Answer, failure, type Handler, isObject, jsonOf } from "./StandIn.ts"

type Document = Readonly<Record<string, unknown>>

/** An index of the stand-in: documents by key. */
export interface Index {
  readonly key: string
  readonly fields: ReadonlySet<string>
  readonly documents: Map<string, Document>
}

/** A search service in memory: indexes with fields and a key, writing as the service does it, and searching by words or by a vector. */
export interface SearchStandIn {
  readonly handle: Handler
  /** The indexes that there are, by name. */
  readonly indexes: Map<string, Index>
}

export const make = (): SearchStandIn => {
  const indexes = new Map<string, Index>()
  return {
    indexes,
    handle: (request) => {
      const [, name = "", rest = ""] = /^\/indexes\('([^']*)'\)(.*)$/.exec(decodeURIComponent(request.path)) ?? []
      if (name === "") return undefined
      const index = indexes.get(name)
      if (request.method === "PUT" && rest === "") return create(indexes, name, jsonOf(request))
      if (index === undefined) return failure(404, "", `No index with the name '${name}' was found.`)
      if (request.method === "GET" && rest === "") {
        const fields = [...index.fields].map((field) => ({ name: field, key: field === index.key }))
        return { status: 200, json: { name, fields } }
      }
      if (request.method !== "POST") return undefined
      if (rest === "/docs/search.index") return write(index, jsonOf(request))
      return rest === "/docs/search.post.search" ? search(index, jsonOf(request)) : undefined
    }
  }
}

/** An index with these fields, the first of which is its key. */
export const indexOf = (key: string, ...fields: ReadonlyArray<string>): Index => ({
  key,
  fields: new Set([key, ...fields]),
  documents: new Map()
})

const create = (indexes: Map<string, Index>, name: string, body: Document): Answer => {
  const fields = Array.isArray(body["fields"]) ? body["fields"].filter(isObject) : []
  const key = fields.find((field) => field["key"] === true)?.["name"]
  if (typeof key !== "string") return failure(400, "", "The index has no key field.")
  indexes.set(name, indexOf(key, ...fields.map((field) => String(field["name"]))))
  return { status: 201, json: body }
}

// --- Writing ---

const mostDocuments = 1_000

const write = (index: Index, body: Document): Answer => {
  const documents = Array.isArray(body["value"]) ? body["value"].filter(isObject) : []
  if (documents.length === 0 || documents.length > mostDocuments) {
    return failure(400, "", `A batch has 1 to ${mostDocuments} documents, not ${documents.length}.`)
  }
  for (const document of documents) {
    const unknown = Object.keys(document).find((field) => field !== "@search.action" && !index.fields.has(field))
    if (unknown !== undefined) return failure(400, "", `The property '${unknown}' does not exist.`)
  }
  const value = documents.map((document) => resultOf(index, document))
  return { status: value.every(({ status }) => status) ? 200 : 207, json: { value } }
}

const resultOf = (index: Index, { "@search.action": action = "upload", ...document }: Document) => {
  const key = textOf(document[index.key])
  const result = (statusCode: number, errorMessage: string | null = null) => ({
    key,
    status: errorMessage === null,
    errorMessage,
    statusCode
  })
  if (!/^[A-Za-z0-9=-][A-Za-z0-9_=-]{0,1023}$/.test(key)) return result(400, `Invalid document key: '${key}'.`)
  const before = index.documents.get(key)
  if (action === "delete") {
    index.documents.delete(key)
    return result(200)
  }
  if (action === "merge" && before === undefined) return result(404, "Document not found.")
  index.documents.set(key, action === "upload" ? document : { ...before, ...document })
  return result(before === undefined ? 201 : 200)
}

// --- Searching ---

const search = (index: Index, body: Document): Answer => {
  const [query] = Array.isArray(body["vectorQueries"]) ? body["vectorQueries"].filter(isObject) : []
  const score = query === undefined ? byWords(textOf(body["search"]) || "*") : byVector(query)
  const top = typeof body["top"] === "number" ? body["top"] : 50
  const value = [...index.documents.values()]
    .map((document) => ({ "@search.score": score(document), ...document }))
    .filter((document) => document["@search.score"] > 0)
    .toSorted((one, other) => other["@search.score"] - one["@search.score"])
    .slice(0, top)
  return { status: 200, json: { value } }
}

const byVector = (query: Document) => {
  const wanted = numbersOf(query["vector"])
  const field = String(query["fields"])
  return (document: Document): number =>
    numbersOf(document[field]).reduce((sum, each, place) => sum + each * (wanted[place] ?? 0), 0)
}

const byWords = (text: string) => {
  if (text === "*") return () => 1
  const words = text.toLowerCase().split(/\s+/)
  return (document: Document): number => {
    const shown = JSON.stringify(document).toLowerCase()
    return words.filter((word) => shown.includes(word)).length
  }
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : "")

const numbersOf = (value: unknown): ReadonlyArray<number> =>
  Array.isArray(value) ? value.filter((each) => typeof each === "number") : []
