import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { join } from "node:path"
import * as Database from "../../embedded/Database.ts"
import * as SqliteLookup from "../../embedded/SqliteLookup.ts"
import * as FolderWorker from "../../FolderWorker.ts"
import { LookupStore } from "../../store/LookupStore.ts"
import type { Storage } from "./LocalBlobs.ts"

/** Lookups in the project's folder, as in `serve`. Nothing is opened before something is looked up. */
export const layer = ({ folder, partitionKeys }: Storage): Layer.Layer<LookupStore> =>
  Layer.scoped(
    LookupStore,
    Effect.gen(function* () {
      const scope = yield* Effect.scope
      const inFolder = SqliteLookup.layer({ folder: join(folder, FolderWorker.lookupsFolder), partitionKeys }).pipe(
        Layer.provide(Database.layer({ file: join(folder, FolderWorker.hiddenFolder, "worker.db") }))
      )
      const opened = yield* Effect.cached(
        Effect.flatMap(Layer.buildWithScope(inFolder, scope), (context) => Effect.provide(LookupStore, context))
      )
      return LookupStore.of({ open: (place) => Effect.flatMap(opened, (store) => store.open(place)) })
    })
  )
