import type * as FileSystem from "@effect/platform/FileSystem"
import type * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import * as CutText from "../../../text/CutText.ts"

/** What the name of a screenshot's file is made of. */
export interface ScreenshotPlace {
  readonly template: string
  readonly url: URL
  /** The pages read before this one. */
  readonly index: number
  readonly type: "png" | "jpeg"
  readonly epochMillis: number
}

/** Names that are tried when the first are taken. */
const mostNames = 1000

/** Writes the image under a name that no file has yet, and gives its path. Fails with a message for people. */
export const write = (
  fs: FileSystem.FileSystem,
  path: Path.Path,
  folder: string,
  place: ScreenshotPlace,
  image: Uint8Array
): Effect.Effect<string, string> => {
  const name = nameOf(place)
  const extension = path.extname(name)
  const attempt = (count: number): Effect.Effect<string, string> => {
    const stem = name.slice(0, name.length - extension.length)
    const file = path.join(folder, `${stem}${count === 1 ? "" : `_${count}`}${extension}`)
    return fs.writeFile(file, image, { flag: "wx" }).pipe(
      Effect.as(file),
      Effect.catchAll((error) =>
        error._tag === "SystemError" && error.reason === "AlreadyExists" && count < mostNames
          ? attempt(count + 1)
          : Effect.fail(`${file} can't be written (${error.message})`)
      )
    )
  }
  return attempt(1)
}

/** `{timestamp}`, `{index}`, `{ext}` and `{url}` filled in; the result is one name and no path. */
export const nameOf = ({ epochMillis, index, template, type, url }: ScreenshotPlace): string => {
  const values: Readonly<Record<string, string>> = {
    timestamp: new Date(epochMillis).toISOString().slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "_"),
    index: String(index),
    ext: type,
    url: url.href
      .replace("://", "_")
      .replaceAll(/[^A-Za-z0-9._-]/g, "_")
      .slice(0, 50)
  }
  const name = template.replaceAll(/\{(\w+)\}/g, (whole, name: string) =>
    Object.hasOwn(values, name) ? (values[name] ?? "") : whole
  )
  return CutText.cut(name, 200)
}

/** What is wrong with a template, or null. */
export const problemOf = (template: string): string | null => {
  const unknown = [...template.matchAll(/\{([^}]*)\}/g)].find(([, name]) => !known.has(name ?? ""))
  if (unknown !== undefined)
    return `knows {timestamp}, {index}, {ext} and {url}, but not ${CutText.cut(unknown[0], 60)}.`
  return /[/\\\0]|^\.+$/.test(template) ? "must be a file name without folders." : null
}

const known = new Set(["timestamp", "index", "ext", "url"])
