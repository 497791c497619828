import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import type { Content } from "../domain/Content.ts"
import { nameOf } from "../domain/Content.ts"
import { documentError, type ExecutorContext, type ExecutorError } from "../executor/Executor.ts"
import { CurrentRunFiles } from "../executor/RunFiles.ts"
import { ownBuffer } from "../threads/ThreadPool.ts"
import * as LocalFile from "./LocalFile.ts"
import * as Settings from "../executor/Settings.ts"

/** Where an extractor finds a document's bytes: the settings of every type that reads files. */
export const settings = {
  content_field: Settings.string({
    description:
      "Key of data that holds the document's bytes (or their base64 text). It goes before temp_file_path_field.",
    default: null
  }),
  temp_file_path_field: Settings.string({
    description:
      "Key of data that holds the path of the document's file, as a content retriever writes it. Only files of the run itself and those below LOCAL_ROOTS are opened.",
    default: "temp_file_path"
  }),
  max_size_bytes: Settings.integer({
    description: "A larger document fails.",
    default: 512 * 1024 * 1024,
    min: 1
  })
}

export type BytesSettings = Settings.TypeOf<typeof settings>

/** Reads the bytes of items, in a buffer that is the caller's own, from `data.<content_field>` if it is there, else from the file that `data.<temp_file_path_field>` names. */
export const make = (
  context: ExecutorContext,
  settings: BytesSettings
): Effect.Effect<(item: Content) => Effect.Effect<ArrayBuffer, ExecutorError>, never, FileSystem.FileSystem> =>
  Effect.map(FileSystem.FileSystem, (fs) => (item) => {
    const fail = (message: string) => documentError(context, item, message)
    const field = settings.content_field
    if (field !== null && has(item, field)) {
      const bytes = bytesOf(item.data[field])
      if (bytes === undefined)
        return Effect.fail(fail(`data.${field} of ${nameOf(item)} holds no bytes (content_field).`))
      return bytes.length > settings.max_size_bytes
        ? Effect.fail(fail(LocalFile.tooLarge(nameOf(item), bytes.length, settings.max_size_bytes)))
        : Effect.sync(() => ownBuffer(bytes))
    }
    const path = has(item, settings.temp_file_path_field) ? item.data[settings.temp_file_path_field] : undefined
    if (typeof path !== "string" || path === "") return Effect.fail(fail(missing(item, settings)))
    return CurrentRunFiles.pipe(
      Effect.flatMap((files) => LocalFile.find(fs, files, path, settings.max_size_bytes)),
      Effect.flatMap((file) => LocalFile.read(fs, file)),
      Effect.mapBoth({ onFailure: fail, onSuccess: ({ buffer }) => buffer })
    )
  })

/** About how many bytes an item's document has, without reading it; 0 where that is not known. */
export const sizes = (
  settings: BytesSettings
): Effect.Effect<(item: Content) => Effect.Effect<number>, never, FileSystem.FileSystem> =>
  Effect.map(FileSystem.FileSystem, (fs) => (item) => {
    const field = settings.content_field
    if (field !== null && has(item, field)) return Effect.succeed(sizeOf(item.data[field]))
    const path = has(item, settings.temp_file_path_field) ? item.data[settings.temp_file_path_field] : undefined
    if (typeof path !== "string" || path === "") return Effect.succeed(0)
    return CurrentRunFiles.pipe(
      Effect.flatMap((files) => LocalFile.find(fs, files, path, settings.max_size_bytes)),
      Effect.match({ onFailure: () => 0, onSuccess: ({ size }) => size })
    )
  })

const sizeOf = (value: unknown): number =>
  typeof value === "string"
    ? value.length
    : value instanceof ArrayBuffer || ArrayBuffer.isView(value)
      ? value.byteLength
      : 0

const has = (item: Content, key: string): boolean => Object.hasOwn(item.data, key)

const missing = (item: Content, settings: BytesSettings): string => {
  const places = [settings.content_field, settings.temp_file_path_field]
    .filter((field) => field !== null)
    .map((field) => `data.${field}`)
  return `${nameOf(item)} has no document: ${places.join(" and ")} ${places.length > 1 ? "are" : "is"} missing. Put a content retriever before this step.`
}

/** Bytes cross a queue or a store as base64 text. */
const bytesOf = (value: unknown): Uint8Array | undefined => {
  if (value instanceof Uint8Array) return value
  if (value instanceof ArrayBuffer) return new Uint8Array(value)
  if (typeof value !== "string" || value.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(value)) return undefined
  return Buffer.from(value, "base64")
}
