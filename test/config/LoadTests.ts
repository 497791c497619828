import { FileSystem, Path } from "@effect/platform"
import { SystemError } from "@effect/platform/Error"
import { ConfigProvider, Effect, Layer } from "effect"
import * as Load from "../../src/config/Load.ts"

export type Texts = Readonly<Record<string, string>>

/** The least that a worker needs. */
export const needed: Texts = {
  STORAGE_ACCOUNT_WORKER_QUEUE_URL: "https://acc.queue.core.windows.net/",
  BLOB_STORAGE_ACCOUNT_NAME: "acc",
  COSMOS_DB_ENDPOINT: "https://acc.documents.azure.com:443/"
}

export const missingFile = (method: string, path: string, reason: "NotFound" | "PermissionDenied" = "NotFound") =>
  new SystemError({ reason, module: "FileSystem", method, pathOrDescriptor: path })

/** A machine whose working directory is /srv/app/bin, with these files. A null can be seen and not read. */
export const machine = (files: Readonly<Record<string, string | null>>) => {
  const content = new Map(Object.entries(files))
  const info = { type: "File" } as FileSystem.File.Info
  return Layer.merge(
    FileSystem.layerNoop({
      stat: (path) => (content.has(path) ? Effect.succeed(info) : Effect.fail(missingFile("stat", path))),
      readFile: (path) =>
        Effect.fromNullable(content.get(path)).pipe(
          Effect.map((text) => new TextEncoder().encode(text)),
          Effect.mapError(() => missingFile("readFile", path, "PermissionDenied"))
        ),
      open: () => Effect.succeed({} as FileSystem.File)
    }),
    Layer.effect(
      Path.Path,
      Effect.map(Path.Path, (path) => ({ ...path, resolve: () => "/srv/app/bin" }))
    ).pipe(Layer.provide(Path.layer))
  )
}

export const from = <A, E>(
  effect: Effect.Effect<A, E, FileSystem.FileSystem | Path.Path>,
  environment: Texts,
  files: Readonly<Record<string, string | null>> = {}
): Effect.Effect<A, E> =>
  effect.pipe(
    Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(environment)), { pathDelim: "_" })),
    Effect.provide(machine(files))
  )

export const load = (environment: Texts, files?: Readonly<Record<string, string | null>>) =>
  from(Load.load, { ...needed, ...environment }, files)

export const mistakesOf = (environment: Texts, files?: Readonly<Record<string, string | null>>) =>
  Effect.map(Effect.flip(load(environment, files)), (error) => error.mistakes)
