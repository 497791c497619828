import * as NodeContext from "@effect/platform-node/NodeContext"
import { assert, describe, layer } from "@effect/vitest"
import { Duration, Effect, Layer } from "effect"
import * as AzureWorker from "../../../src/AzureWorker.ts"
import { AzureConfig } from "../../../src/azure/AzureConfig.ts"
import * as WorkerConfig from "../../../src/config/WorkerConfig.ts"
import * as Emulators from "../../../src/testing/Emulators.ts"
import { eventually } from "../../../src/testing/Eventually.ts"
import * as Controls from "../../../src/worker/Controls.ts"
import * as DeletedVaults from "../../../src/worker/outputs/DeletedVaults.ts"
import * as Deletions from "../../../src/worker/outputs/Deletions.ts"
import * as ManifestStore from "../../../src/worker/outputs/ManifestStore.ts"

const account = "devstoreaccount1"

const yaml = JSON.stringify({
  pipeline: {
    name: "left",
    executors: [
      {
        id: "find",
        type: "azure_blob_input_discovery",
        settings: { blob_storage_account: account, blob_container_name: "left-in" }
      },
      { id: "fetch", type: "content_retriever" },
      {
        id: "write",
        type: "azure_blob_output",
        settings: { storage_account_name: account, container_name: "left-out", filename_template: "{id.filename}.json" }
      }
    ],
    execution_sequence: ["find", "fetch", "write"]
  }
})

/** A look that waits for nothing. */
const look = ({ settings }: Emulators.Installation) =>
  Effect.flatten(DeletedVaults.make({ grace: Duration.zero, interval: Duration.zero })).pipe(
    Effect.provide(
      Layer.mergeAll(Deletions.layer, Controls.layer).pipe(
        Layer.provide(ManifestStore.layer),
        Layer.provideMerge(AzureWorker.runner),
        Layer.provideMerge(AzureWorker.ports),
        Layer.provide(Layer.succeed(AzureConfig, settings)),
        Layer.provideMerge(WorkerConfig.layerWith({})),
        Layer.provide(NodeContext.layer)
      )
    )
  )

describe("a vault that is deleted", () => {
  layer(Emulators.emulators, { excludeTestServices: true })((it) => {
    it.scoped("takes its outputs with it on Storage and Cosmos DB, and no other vault's", () =>
      Effect.gen(function* () {
        const installation = yield* Emulators.installation("left-vault")
        yield* Emulators.upload(installation, "left-in", { "a.txt": "a", "b c.txt": "b" })
        yield* Emulators.upload(installation, "left-out", { "other.json": "{}" })
        yield* Emulators.register(installation, "left", yaml, { on_source_deleted: "remove" })
        const written = Effect.map(Emulators.blobNames(installation, "left-out"), (names) => names.length)
        yield* Emulators.engine(installation, { processingWorkers: 2, sourceWorkers: 1 }, []).pipe(
          Effect.zipRight(
            eventually(
              "both documents are done",
              Emulators.executionsOf(installation, "left-vault"),
              (all) => Emulators.withStatus(all, "completed") === 2
            )
          ),
          Effect.scoped
        )
        assert.strictEqual(yield* written, 3)
        yield* look(installation)
        assert.strictEqual(yield* written, 3)
        const { vaults } = installation.documents
        const vault = yield* vaults.read("left-vault")
        assert(vault._tag === "Found")
        yield* vaults.remove("left-vault", vault.etag)
        yield* look(installation)
        assert.strictEqual(yield* written, 3, "its absence is noted first")
        yield* look(installation)
        assert.deepStrictEqual(yield* Emulators.blobNames(installation, "left-out"), ["other.json"])
        yield* look(installation)
      })
    )
  })
})
