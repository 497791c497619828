import * as Effect from "effect/Effect"
import { createHash } from "node:crypto"
import { mkdir, rename, rm, stat, writeFile } from "node:fs/promises"
import { basename, dirname, isAbsolute, join } from "node:path"
import process from "node:process"
import type { Content } from "../../domain/Content.ts"
import * as CutText from "../../text/CutText.ts"
import * as OutputFormat from "./OutputFormat.ts"
import { RunFailed } from "./RunFailed.ts"

/** The folder of `--output`, in which results lie as their documents do in theirs. */
export interface OutputFolder {
  readonly path: string
  /** Writes the result of a document, whole or not at all, into this place of {@link placesOf}, and gives the file; none when there is nothing to write. */
  readonly write: (place: string, items: ReadonlyArray<Content>) => Effect.Effect<ReadonlyArray<string>, RunFailed>
}

/** Makes the folder, so that a wrong one is told before the work begins. */
export const make = (path: string, format: OutputFormat.OutputFormat): Effect.Effect<OutputFolder, RunFailed> =>
  Effect.gen(function* () {
    yield* attempt(path, () => usable(path))
    return {
      path,
      write: (place, items) => {
        const text = OutputFormat.print(items, format)
        if (text === undefined) return Effect.succeed([])
        const file = join(path, `${place}${OutputFormat.extensions[format]}`)
        return Effect.as(
          attempt(file, () => put(file, text)),
          [file]
        )
      }
    }
  })

const usable = async (path: string): Promise<void> => {
  // A folder of the kernel lets `mkdir` try for ever.
  if (/^\/(?:proc|sys|dev)(?:\/|$)/.test(path))
    throw new Error("it is a folder of the system's own. Choose another folder.")
  await mkdir(path, { recursive: true })
  if (!(await stat(path)).isDirectory()) throw new Error("it is no folder. Choose another one.")
}

const put = async (file: string, text: string): Promise<void> => {
  await mkdir(dirname(file), { recursive: true })
  const unfinished = join(dirname(file), `.${process.pid}-${(counter++).toString(36)}.part`)
  try {
    await writeFile(unfinished, text)
    await rename(unfinished, file)
  } catch (error) {
    await rm(unfinished, { force: true })
    throw error
  }
}

let counter = 0

/** A place in the folder for each of these names: the name itself, and `report-2.pdf` for the next `report.pdf`. */
export const placesOf = (names: ReadonlyArray<string>): ReadonlyArray<string> => {
  const taken = new Set<string>()
  const next = new Map<string, number>()
  return names.map((name) => {
    const short = withRoom(name)
    const key = comparable(short)
    for (let count = next.get(key) ?? 1; ; count++) {
      const place = count === 1 ? short : short.replace(/(\.[^./]*)?$/, (end) => `-${count}${end}`)
      if (taken.has(comparable(place))) continue
      taken.add(comparable(place))
      next.set(key, count + 1)
      return place
    }
  })
}

/** Some file systems know no difference between large and small letters. */
const comparable = (name: string): string => name.normalize("NFC").toLowerCase()

/** A name of 255 bytes, the most that file systems take, has no room for an extension. */
const withRoom = (name: string): string => {
  const last = basename(name)
  if (Buffer.byteLength(last) <= longest) return name
  const hash = createHash("sha256").update(last).digest("hex").slice(0, 12)
  let short = CutText.cut(last, longest)
  while (Buffer.byteLength(short) > longest) short = CutText.cut(short, short.length - 1)
  return `${name.slice(0, name.length - last.length)}${short}-${hash}`
}

const longest = 200

/** The place of an item in the folder, by what its identifier says: inside of it whatever that is. */
export const nameOf = ({ id }: Content): string => {
  const { canonical_id = "", filename, path } = id ?? {}
  const given = path && !isAbsolute(path) ? path : canonical_id || filename || ""
  const parts = given
    .replace(/^[a-z]+:\/\/[^/]*/i, "")
    .split(/[/\\]/)
    .map((part) =>
      // What a file system or a shell could take for something else.
      CutText.cut(part.replaceAll(/[^\p{L}\p{N} ._()+,=@-]+/gu, "_").replace(/^[.\s-]+/, ""), longest).trimEnd()
    )
    .filter((part) => part !== "")
  return parts.join("/") || "item"
}

const attempt = <A>(place: string, act: () => Promise<A>): Effect.Effect<A, RunFailed> =>
  Effect.tryPromise({
    try: act,
    catch: (error) => new RunFailed({ message: `--output ${place}: ${reasonOf(error)}` })
  })

const reasonOf = (error: unknown): string => {
  const code = error instanceof Error && "code" in error ? String(error.code) : ""
  switch (code) {
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return "it may not be written: permission denied. Choose another folder."
    case "ENOTDIR":
    case "EEXIST":
      return "it can't be a folder, since a file is in its place. Choose another folder."
    case "ENOSPC":
    case "EDQUOT":
      return "there is no space left on the disk."
    default:
      return `it can't be written: ${error instanceof Error ? error.message : String(error)}`
  }
}
