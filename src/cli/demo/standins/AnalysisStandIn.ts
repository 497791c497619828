import { randomUUID } from "node:crypto"
import type { Document, DocumentOptions } from "../../../documents/Document.ts"
import { DocumentError } from "../../../documents/DocumentError.ts"
import { defaults as officeLimits } from "../../../documents/Limits.ts"
import { defaultLimits as pdfLimits } from "../../../documents/pdf/PdfDocument.ts"
import { makePdfEngine } from "../../../documents/pdf/PdfEngine.ts"
import { readDocument } from "../../../documents/DocumentReader.ts"
import { defaultLimits as textLimits, defaults as textOptions } from "../../../documents/text/TextDocument.ts"
import { type Answer, failure, type Handler, jsonOf, type Request } from "./StandIn.ts"

/**
 * Document Intelligence and Content Understanding in one: documents are read by the worker's own readers, and told in the shapes of the
 * services. Pictures and scans have no text here.
 */
export const make = (): { readonly handle: Handler } => {
  const read = reader()
  const operations = new Map<string, Operation>()
  let models: unknown = {}

  const start = (request: Request, address: string, of: Operation["of"], body: Buffer): Answer => {
    const id = randomUUID()
    operations.set(id, { of, document: settled(read(body)) })
    const location = `${request.origin}${address}/${id}?api-version=${request.query.get("api-version") ?? ""}`
    return { status: 202, headers: { "operation-location": location } }
  }

  const look = async (id: string): Promise<Answer> => {
    const operation = operations.get(id)
    if (operation === undefined) return failure(404, "NotFound", "There is no such operation.")
    const document = await operation.document
    const json =
      document instanceof DocumentError
        ? { status: "failed", error: { code: "InvalidRequest", message: document.message } }
        : operation.of(document)
    return { status: 200, json: { id, ...json } }
  }

  return {
    handle: (request) => {
      const { method } = request
      const path = decodeURIComponent(request.path)
      const [, model] = /^\/documentintelligence\/documentModels\/([^/:]+):analyze$/.exec(path) ?? []
      if (method === "POST" && model !== undefined) {
        const address = `/documentintelligence/documentModels/${model}/analyzeResults`
        const isMarkdown = request.query.get("outputContentFormat") === "markdown"
        return start(request, address, (document) => layout(model, isMarkdown, document), bytesOf(request))
      }
      const [, analyzer] = /^\/contentunderstanding\/analyzers\/([^/:]+):analyzeBinary$/.exec(path) ?? []
      if (method === "POST" && analyzer !== undefined) {
        const address = "/contentunderstanding/analyzerResults"
        return start(request, address, (document) => understanding(analyzer, document), request.body)
      }
      if (path === "/contentunderstanding/defaults") {
        if (method === "PATCH") models = jsonOf(request)["modelDeployments"]
        return { status: 200, json: { modelDeployments: models } }
      }
      const [, id] = /\/(?:analyzeResults|analyzerResults)\/([^/]+)$/.exec(path) ?? []
      return method === "GET" && id !== undefined ? look(id) : undefined
    }
  }
}

interface Operation {
  readonly of: (document: Document) => Readonly<Record<string, unknown>>
  readonly document: Promise<Document | DocumentError>
}

/** Document Intelligence takes a document as it is, or as base64 in JSON. */
const bytesOf = (request: Request): Buffer => {
  if (request.headers["content-type"] !== "application/json") return request.body
  const source = jsonOf(request)["base64Source"]
  return Buffer.from(typeof source === "string" ? source : "", "base64")
}

// --- Reading ---

const options: DocumentOptions = {
  hints: {},
  page_separator: "\n\n",
  extract_pages: true,
  extract_tables: true,
  extract_images: false,
  extract_properties: false,
  extract_notes: false,
  min_image_size: 0,
  password: null,
  text: textOptions
}

const reader = () => {
  const engine = makePdfEngine()
  return async (body: Buffer): Promise<Document> => {
    if (isPicture(body)) return { type: "text", text: "", pages: [], tables: [], warnings: [], counts: {} }
    const limits = { office: officeLimits, pdf: pdfLimits, text: textLimits }
    return readDocument(new Uint8Array(body), options, limits, engine.read)
  }
}

const isPicture = (body: Buffer): boolean => /^(?:89504e47|ffd8ff|49492a00|4d4d002a)/.test(body.toString("hex", 0, 4))

const settled = (reading: Promise<Document>): Promise<Document | DocumentError> =>
  reading.catch((cause: unknown) => {
    if (cause instanceof DocumentError) return cause
    throw cause
  })

const pagesOf = (document: Document) => {
  const pages = document.pages ?? []
  return (pages.length === 0 ? [{ page_number: 1, text: document.text }] : pages).map(({ page_number, text }) => ({
    pageNumber: page_number,
    width: 8.5,
    height: 11,
    unit: "inch",
    lines: text
      .split("\n")
      .filter((line) => line.trim() !== "")
      .map((content) => ({ content }))
  }))
}

const tablesOf = (document: Document) =>
  (document.tables ?? []).map(({ columns, data, rows }) => ({
    rowCount: rows,
    columnCount: columns,
    cells: data.flatMap((row, rowIndex) =>
      row.map((cell, columnIndex) => ({ rowIndex, columnIndex, content: String(cell ?? "") }))
    )
  }))

// --- Answers ---

const layout = (modelId: string, isMarkdown: boolean, document: Document) => ({
  status: "succeeded",
  createdDateTime: "2026-01-01T00:00:00Z",
  lastUpdatedDateTime: "2026-01-01T00:00:01Z",
  analyzeResult: {
    apiVersion: "2024-11-30",
    modelId,
    stringIndexType: "utf16CodeUnit",
    contentFormat: isMarkdown ? "markdown" : "text",
    content: document.text,
    pages: pagesOf(document),
    paragraphs: document.text.split(/\n{2,}/).map((content) => ({ content })),
    tables: tablesOf(document),
    figures: []
  }
})

const understanding = (analyzerId: string, document: Document) => ({
  status: "Succeeded",
  result: {
    analyzerId,
    apiVersion: "2025-11-01",
    createdAt: "2026-01-01T00:00:00Z",
    warnings: [],
    contents: [
      {
        kind: "document",
        mimeType: document.type === "pdf" ? "application/pdf" : "application/octet-stream",
        markdown: document.text,
        startPageNumber: 1,
        endPageNumber: Math.max(1, document.pages?.length ?? 1),
        unit: "inch",
        pages: pagesOf(document),
        tables: tablesOf(document),
        figures: [],
        fields: {}
      }
    ]
  }
})
