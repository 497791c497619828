import * as StandIn from "./StandIn.ts"

type Data = Readonly<Record<string, unknown>>

/** An index and what it holds, by key. */
export interface Index {
  readonly key: string
  readonly fields: ReadonlyArray<string>
  readonly documents: Map<string, Data>
}

export const index = (key: string, ...fields: ReadonlyArray<string>): Index => ({
  key,
  fields: [key, ...fields],
  documents: new Map()
})

export const key = "key-of-the-test"

/** What a test may have the service do otherwise. */
export interface Moods {
  /** The status that a document gets instead, as often as is said. */
  readonly refusals?: Readonly<Record<string, ReadonlyArray<number>>>
  /** An identity or key that may only write documents is not shown indexes. */
  readonly hidesIndexes?: boolean
  /** Requests with more documents are too large. */
  readonly mostDocuments?: number
  /** Answers to whole requests, before any of the others. */
  readonly first?: ReadonlyArray<StandIn.Answer>
}

const failure = (status: number, code: string, message: string): StandIn.Answer => ({
  status,
  body: { error: { code, message } }
})

/** A stand-in for Azure AI Search: it keeps documents, and knows upload, merge, mergeOrUpload and delete. */
export const respond = (indexes: Readonly<Record<string, Index>>, moods: Moods = {}) => {
  const left = new Map(Object.entries(moods.refusals ?? {}).map(([name, statuses]) => [name, [...statuses]]))
  const first = [...(moods.first ?? [])]
  return (asked: StandIn.Asked): StandIn.Answer => {
    const { "api-key": apiKey = "", authorization = "" } = asked.headers
    if (apiKey !== key && !authorization.startsWith("Bearer token-")) return failure(403, "Forbidden", "No access.")
    if (asked.query.get("api-version") === null) return failure(400, "MissingApiVersion", "The version is missing.")
    const name = /^\/indexes\('([^']*)'\)/.exec(asked.path)?.[1] ?? ""
    const found = indexes[name]
    if (asked.method === "GET") {
      if (moods.hidesIndexes === true) return failure(403, "Forbidden", "No access to indexes.")
      return found === undefined
        ? failure(404, "ResourceNotFound", `No index with the name '${name}' was found.`)
        : {
            status: 200,
            body: { name, fields: found.fields.map((field) => ({ name: field, key: field === found.key })) }
          }
    }
    if (found === undefined) return failure(404, "ResourceNotFound", `The index '${name}' was not found.`)
    const [instead] = first.splice(0, 1)
    if (instead !== undefined) return instead
    const { value } = StandIn.json(asked) as { readonly value: ReadonlyArray<Data> }
    if (value.length > (moods.mostDocuments ?? 1000)) return failure(413, "RequestEntityTooLarge", "Too large.")
    for (const document of value) {
      const unknown = Object.keys(document).find((field) => !field.startsWith("@") && !found.fields.includes(field))
      if (unknown !== undefined) {
        const message = `The request is invalid. Details: The property '${unknown}' does not exist on type 'search.documentFields'.`
        return failure(400, "InvalidRequestParameter", message)
      }
    }
    const results = value.map((document) => {
      const id = String(document[found.key])
      const refused = left.get(id)?.shift()
      const statusCode = refused ?? written(found, id, document)
      return {
        key: id,
        status: statusCode < 300,
        statusCode,
        errorMessage: statusCode < 300 ? "" : statusCode === 404 ? "Document not found." : "Busy."
      }
    })
    return { status: results.every(({ status }) => status) ? 200 : 207, body: { value: results } }
  }
}

const written = (
  { documents }: Index,
  id: string,
  { "@search.action": action = "upload", ...fields }: Data
): number => {
  if (!/^[\w=-]+$/.test(id) || id.startsWith("_")) return 400
  const before = documents.get(id)
  if (action === "delete") {
    documents.delete(id)
    return 200
  }
  if (action === "merge" && before === undefined) return 404
  documents.set(id, action === "upload" ? fields : { ...before, ...fields })
  return before === undefined ? 201 : 200
}
