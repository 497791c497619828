import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import type { Content } from "../../domain/Content.ts"
import { isWithin } from "../../executor/RunFiles.ts"

export type Remover = (item: Content) => Content

/** Takes `data.temp_file_path` out of items where it names a file below this folder, which is gone when the item's reader looks. */
export const remover = (folder: string): Effect.Effect<Remover, never, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const real = yield* Effect.orElseSucceed(fs.realPath(folder), () => folder)
    return (item) => {
      const { temp_file_path: file, ...data } = item.data
      return typeof file === "string" && (isWithin(folder, file) || isWithin(real, file)) ? { ...item, data } : item
    }
  })
