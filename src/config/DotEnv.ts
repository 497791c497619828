import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as PlatformConfigProvider from "@effect/platform/PlatformConfigProvider"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import { ConfigError } from "./ConfigError.ts"

export interface DotEnv {
  /** The file's path; null when there is none. */
  readonly path: string | null
  readonly provider: ConfigProvider.ConfigProvider
}

/** The nearest file `.env` in the working directory or above it. One that can't be read is a mistake, not a missing file. */
export const find: Effect.Effect<DotEnv, ConfigError, FileSystem.FileSystem | Path.Path> = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  for (let folder = path.resolve("."); ; folder = path.dirname(folder)) {
    const candidate = path.join(folder, ".env")
    // A folder that we may not look into has no file for us.
    const isFile = yield* files.stat(candidate).pipe(
      Effect.map((info) => info.type === "File"),
      Effect.orElseSucceed(() => false)
    )
    if (isFile) {
      const provider = yield* Effect.mapError(PlatformConfigProvider.fromDotEnv(candidate), unreadable(candidate))
      return { path: candidate, provider }
    }
    if (path.dirname(folder) === folder) return { path: null, provider: ConfigProvider.fromMap(new Map()) }
  }
})

const unreadable = (path: string) => (error: PlatformError) =>
  new ConfigError({
    mistakes: [
      {
        variable: ".env",
        value: null,
        reason: `can't be read: ${error._tag === "SystemError" ? error.reason : "BadArgument"}`,
        source: path
      }
    ]
  })
