import type * as StandIn from "./StandIn.ts"

type Json = Record<string, unknown>

export const key = "key-of-the-test"
export const documentHost = "contoso.cognitiveservices.azure.com"
export const understandingHost = "contoso.services.ai.azure.com"

const failure = (status: number, code: string, message: string): StandIn.Answer => ({
  status,
  body: { error: { code, message } }
})

const isSignedIn = ({ headers }: StandIn.Asked): boolean =>
  headers["ocp-apim-subscription-key"] === key || headers["authorization"]?.startsWith("Bearer token-") === true

const refused = failure(401, "401", "Access denied due to invalid subscription key or wrong API endpoint.")

/** What a test may have a service do otherwise. */
export interface Moods {
  /** How often an analysis is looked at before it has ended; 1 by default. */
  readonly looks?: number
  /** Answers to analyses, before any of the others. */
  readonly first?: ReadonlyArray<StandIn.Answer | "silence">
  /** Milliseconds before each answer. */
  readonly delay?: number
}

export interface Service {
  readonly respond: (asked: StandIn.Asked) => Promise<StandIn.Answer | "silence">
  /** Content Understanding's models: deployments by their names. */
  readonly models: Record<string, string>
  /** Documents that were sent. */
  readonly documents: ReadonlyArray<string>
}

const service = (
  moods: Moods,
  respond: (asked: StandIn.Asked, service: Work) => StandIn.Answer | "silence"
): Service => {
  const work: Work = {
    models: {},
    documents: [],
    operations: new Map(),
    first: [...(moods.first ?? [])],
    looks: moods.looks ?? 1
  }
  return {
    models: work.models,
    documents: work.documents,
    respond: async (asked) => {
      if (moods.delay !== undefined) await new Promise((resolve) => setTimeout(resolve, moods.delay))
      if (!isSignedIn(asked)) return refused
      if (asked.query.get("api-version") === null) return failure(400, "MissingApiVersion", "The version is missing.")
      return respond(asked, work)
    }
  }
}

interface Work {
  readonly models: Record<string, string>
  readonly documents: Array<string>
  readonly operations: Map<string, { left: number; readonly result: unknown }>
  readonly first: Array<StandIn.Answer | "silence">
  readonly looks: number
}

const idOf = (number: number): string => `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`

const started = (work: Work, asked: StandIn.Asked, result: unknown): string => {
  work.documents.push(asked.body.toString("utf8"))
  const id = idOf(work.documents.length)
  work.operations.set(id, { left: work.looks, result })
  return id
}

// --- Document Intelligence ---

/** A stand-in for Document Intelligence that finds this in every document, as far as it is asked for. */
export const documentIntelligence = (analyzeResult: Json, moods: Moods = {}): Service =>
  service(moods, (asked, work) => {
    const path = /^\/documentintelligence\/documentModels\/([^/:]+)(?::analyze|\/analyzeResults\/([^/]+))$/.exec(
      asked.path
    )
    if (path === null) return failure(404, "NotFound", "Resource not found.")
    const [, model = "", id] = path
    if (id === undefined) {
      const instead = work.first.shift()
      if (instead !== undefined) return instead
      if (!/^prebuilt-(layout|read|invoice)$/.test(model))
        return failure(404, "ModelNotFound", "The model doesn't exist.")
      const version = asked.query.get("api-version")
      return {
        status: 202,
        headers: {
          "operation-location": `https://${documentHost}/documentintelligence/documentModels/${model}/analyzeResults/${started(work, asked, foundBy(analyzeResult, asked.query))}?api-version=${version}`,
          "retry-after": "0"
        }
      }
    }
    const operation = work.operations.get(id)
    if (operation === undefined) return failure(404, "NotFound", "The result was not found.")
    const about = { createdDateTime: "2026-01-01T00:00:00Z", lastUpdatedDateTime: "2026-01-01T00:00:01Z" }
    if (operation.left > 0) {
      operation.left -= 1
      return { status: 200, body: { status: "running", ...about } }
    }
    return { status: 200, body: { status: "succeeded", ...about, analyzeResult: operation.result } }
  })

const foundBy = (analyzeResult: Json, query: URLSearchParams): Json => {
  const pages = query.get("pages")
  const wanted = (page: { pageNumber?: number }): boolean =>
    pages === null ||
    pages.split(",").some((range) => {
      const [from = 0, to = from] = range.split("-").map(Number)
      return (page.pageNumber ?? 0) >= from && (page.pageNumber ?? 0) <= to
    })
  const { keyValuePairs, ...result } = analyzeResult
  return {
    ...result,
    contentFormat: query.get("outputContentFormat") ?? "text",
    pages: ((result["pages"] ?? []) as ReadonlyArray<{ pageNumber?: number }>).filter(wanted),
    ...(query.get("features")?.split(",").includes("keyValuePairs") === true ? { keyValuePairs } : {})
  }
}

// --- Content Understanding ---

const analyzers = ["prebuilt-documentSearch", "my-analyzer"]

/** A stand-in for Content Understanding that finds this in every document. It has images for figures whose ids begin with a digit. */
export const contentUnderstanding = (result: Json, moods: Moods = {}): Service =>
  service(moods, (asked, work) => {
    const { headers, method, path } = asked
    if (path === "/contentunderstanding/defaults") {
      if (method === "PATCH") {
        if (headers["content-type"] !== "application/merge-patch+json") {
          return failure(415, "UnsupportedMediaType", "Send a merge patch.")
        }
        const { modelDeployments } = JSON.parse(asked.body.toString("utf8")) as { modelDeployments: Json }
        Object.assign(work.models, modelDeployments)
      }
      return { status: 200, body: { modelDeployments: work.models } }
    }
    const analyzer = /^\/contentunderstanding\/analyzers\/([A-Za-z0-9._-]{1,64}):analyzeBinary$/.exec(path)?.[1]
    if (analyzer !== undefined && method === "POST") {
      const instead = work.first.shift()
      if (instead !== undefined) return instead
      if (headers["content-type"] !== "application/octet-stream") {
        return failure(415, "UnsupportedMediaType", "Send bytes.")
      }
      if (!analyzers.includes(analyzer)) return failure(404, "AnalyzerNotFound", "The analyzer was not found.")
      const id = started(work, asked, { ...result, analyzerId: analyzer })
      return {
        status: 202,
        headers: {
          "operation-location": `https://${understandingHost}/contentunderstanding/analyzerResults/${id}?api-version=${asked.query.get("api-version")}`
        },
        body: { id, status: "NotStarted" }
      }
    }
    const [, id = "", figure] =
      /^\/contentunderstanding\/analyzerResults\/([^/]+)(?:\/files\/figures\/([^/]+))?$/.exec(path) ?? []
    const operation = work.operations.get(id)
    if (operation === undefined) return failure(404, "OperationNotFound", "The operation was not found.")
    if (figure !== undefined) {
      return /^\d/.test(figure)
        ? { status: 200, headers: { "content-type": "image/png" }, body: Buffer.from([0x89, 0x50, 0x4e, 0x47]) }
        : failure(404, "FileNotFound", "The file was not found.")
    }
    if (operation.left > 0) {
      operation.left -= 1
      return { status: 200, body: { id, status: "Running" } }
    }
    return { status: 200, body: { id, status: "Succeeded", result: operation.result } }
  })
