import { createHash } from "node:crypto"
import { readdir, readFile, stat } from "node:fs/promises"
import { join, relative, sep } from "node:path"
import { levelsOf, mostLevels } from "../cosmossql/Values.ts"
import * as DocumentContainer from "../store/DocumentContainer.ts"
import * as BlobFiles from "./BlobFiles.ts"

export type Document = Readonly<Record<string, unknown>> & { readonly id: string }

/** The JSON files of one container, as they lie in its folder now. */
export interface Files {
  readonly paths: ReadonlyArray<string>
  /** Another one when a file came, changed or went. */
  readonly signature: string
  /** When the youngest of them was changed: epoch milliseconds. */
  readonly changedAt: number
}

/** The files can't be used as they are; the message names the file, the place in it and the way out. */
export class FilesProblem extends Error {
  override readonly name = "FilesProblem"
}

/** What all documents of a container may be together: every query looks at all of them. */
export const mostDocuments = 50_000
export const mostBytes = 32 * 1024 * 1024

/** The files in the folder and below it; undefined when there is no such folder. */
export const find = async (folder: string): Promise<Files | undefined> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined
    throw error
  })
  if (entries === undefined) return undefined
  const paths = entries
    .filter((entry) => entry.isFile() && EXTENSION.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) =>
      relative(folder, path)
        .split(sep)
        .every((part) => !part.startsWith("."))
    )
    .toSorted()
  const hash = createHash("sha256")
  let changedAt = 0
  let bytes = 0
  for (const path of paths) {
    const found = await stat(path).catch(orMissing)
    if (found === undefined) continue
    const { mtimeMs, size } = found
    hash.update(JSON.stringify([relative(folder, path), size, mtimeMs]))
    changedAt = Math.max(changedAt, mtimeMs)
    bytes += size
  }
  if (bytes > mostBytes) {
    throw new FilesProblem(
      `${folder}: its files have more than ${mostBytes / 1024 ** 2} MB. So many documents belong into Cosmos DB.`
    )
  }
  return { paths, signature: hash.digest("hex"), changedAt }
}

/** A file that goes while it is looked at is none. */
const orMissing = (thrown: unknown): undefined => {
  if (!BlobFiles.isMissing(thrown)) throw thrown
}

const EXTENSION = /\.(?:json|jsonl|ndjson)$/i

/** The documents of the files: one, or a list of them, in a `.json` file; one a line in the others. */
export const read = async ({ paths }: Files): Promise<ReadonlyArray<Document>> => {
  const documents: Array<Document> = []
  for (const path of paths) {
    const text = (await readFile(path, "utf8")).replace(/^\uFEFF/, "")
    const isLines = !path.toLowerCase().endsWith(".json")
    const values = isLines ? linesOf(path, text) : fileOf(path, text)
    for (const { place, value } of values) documents.push(documentOf(place, value))
    if (documents.length > mostDocuments) {
      throw new FilesProblem(
        `${path}: with it there are more than ${mostDocuments} documents. So many belong into Cosmos DB.`
      )
    }
  }
  return documents
}

interface Placed {
  readonly place: string
  readonly value: unknown
}

const fileOf = (path: string, text: string): ReadonlyArray<Placed> => {
  const value = parse(path, text)
  return Array.isArray(value)
    ? value.map((one: unknown, index) => ({ place: `${path}, document ${index + 1}`, value: one }))
    : [{ place: path, value }]
}

const linesOf = (path: string, text: string): ReadonlyArray<Placed> =>
  text.split("\n").flatMap((line, index) => {
    const place = `${path}, line ${index + 1}`
    return line.trim() === "" ? [] : [{ place, value: parse(place, line) }]
  })

const parse = (place: string, text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new FilesProblem(`${place}: this is not JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
}

const documentOf = (place: string, value: unknown): Document => {
  if (!isRecord(value)) throw new FilesProblem(`${place}: a document is an object, {"id": "…", …}.`)
  const { _attachments, _etag, _rid, _self, _ts, ...document } = value
  const { id } = document
  if (typeof id !== "string" || !DocumentContainer.isStorableId(id)) {
    throw new FilesProblem(
      `${place}: a document needs an id: a text of 1 to 1023 bytes without / \\ ? # and control characters.`
    )
  }
  if (levelsOf(document) > mostLevels) {
    throw new FilesProblem(`${place}: objects and arrays lie more than ${mostLevels} levels deep in it.`)
  }
  return { ...document, id }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)
