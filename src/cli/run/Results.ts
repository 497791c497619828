import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as CutText from "../../text/CutText.ts"
import type { Content } from "../../domain/Content.ts"
import * as ExactJson from "../../domain/ExactJson.ts"
import * as SafeJson from "../../domain/SafeJson.ts"
import { RunFailed } from "./RunFailed.ts"

/** The items as one JSON list on standard output; bytes as base64. Written item by item, since one text has its limits. */
export const print = (items: ReadonlyArray<Content>): Effect.Effect<void> =>
  items.length === 0
    ? Console.log("[]")
    : Effect.zipRight(
        Console.log("["),
        Effect.forEach(
          items,
          (item, index) =>
            // A line break in JSON is between values, never in one.
            Console.log(`  ${jsonOf(item).replaceAll("\n", "\n  ")}${index === items.length - 1 ? "\n]" : ","}`),
          { discard: true }
        )
      )

/** A file for every item in the folder, named after the item's document. */
export const write = (
  items: ReadonlyArray<Content>,
  folder: string
): Effect.Effect<void, RunFailed, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    yield* fs.makeDirectory(folder, { recursive: true })
    const names = namesOf(items)
    yield* Effect.forEach(
      items,
      (item, index) => fs.writeFileString(path.join(folder, names[index] ?? `${index}.json`), `${jsonOf(item)}\n`),
      { discard: true }
    )
  }).pipe(Effect.mapError((error) => new RunFailed({ message: `--output ${folder}: ${error.message}` })))

const jsonOf = (item: Content): string => ExactJson.stringify(SafeJson.toExactJson(item), 2)

/** `report.pdf.json`, and `report.pdf-2.json` for the next of this name. */
const namesOf = (items: ReadonlyArray<Content>): ReadonlyArray<string> => {
  const taken = new Set<string>()
  const next = new Map<string, number>()
  return items.map(({ id }) => {
    const stem = safe(id?.filename ?? id?.canonical_id ?? "")
    for (let count = next.get(stem) ?? 1; ; count++) {
      const name = `${stem}${count === 1 ? "" : `-${count}`}.json`
      // Some file systems know no difference between large and small letters.
      if (taken.has(name.toLowerCase())) continue
      taken.add(name.toLowerCase())
      next.set(stem, count + 1)
      return name
    }
  })
}

/** A name from a document: its last part, without what a file system or a shell could take for something else. */
const safe = (name: string): string => {
  const last = name.split(/[/\\]/).findLast((part) => part !== "") ?? ""
  return CutText.cut(last.replaceAll(/[^\p{L}\p{N}._-]+/gu, "_").replace(/^[.-]+/, ""), 100) || "item"
}
