import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { concealed, type Mistake } from "./ConfigError.ts"
import type { Found } from "./Variable.ts"
import { variables } from "./Variables.ts"

/** Why no lines can be added to this file; null when they can. Tries it, since rights, folders and read-only file systems say no in many ways. */
export const mistakeIn = (found: Found | undefined): Effect.Effect<Mistake | null, never, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    if (found === undefined) return null
    const files = yield* FileSystem.FileSystem
    const mistake = (reason: string) =>
      concealed({ variable: variables.logFile.name, value: found.text, reason, source: found.source })
    const info = yield* Effect.option(files.stat(found.text))
    const type = Option.isSome(info) ? info.value.type : "File"
    if (type === "Directory") return mistake("is a folder: expected a file")
    // A pipe or a device may wait for its other end.
    if (type !== "File") return null
    return yield* files.open(found.text, { flag: "a" }).pipe(
      Effect.scoped,
      Effect.as(null),
      Effect.catchAll((error) =>
        Effect.succeed(mistake(`can't be written: ${why(error._tag === "SystemError" ? error : undefined)}`))
      )
    )
  })

const why = (error: { readonly reason: string; readonly description?: string | undefined } | undefined): string => {
  const code = /\b(E[A-Z]{3,12})\b/.exec(error?.description ?? "")?.[1] ?? error?.reason ?? "unknown"
  return `${reasons[code] ?? "the system refuses it"} (${code})`
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "its folder does not exist",
  NotFound: "its folder does not exist",
  ENOTDIR: "a part of its path is no folder",
  EACCES: "this process may not write there",
  EPERM: "this process may not write there",
  PermissionDenied: "this process may not write there",
  EROFS: "the file system is read-only",
  ENOSPC: "the disk is full",
  ENAMETOOLONG: "its name is too long",
  ELOOP: "its links lead in a circle"
}
