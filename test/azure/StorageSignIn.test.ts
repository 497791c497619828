import { assert, describe, it } from "@effect/vitest"
import {
  AccountSASPermissions,
  AccountSASResourceTypes,
  AccountSASServices,
  generateAccountSASQueryParameters,
  SASProtocol,
  StorageSharedKeyCredential
} from "@azure/storage-blob"
import { Effect, Layer, Stream } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { BlobStore } from "../../src/blob/BlobStore.ts"
import * as StorageBlob from "../../src/blob/StorageBlob.ts"
import * as Demo from "../../src/cli/demo/Emulators.ts"
import * as StorageQueue from "../../src/queue/StorageQueue.ts"
import { TaskQueue } from "../../src/queue/TaskQueue.ts"
import { storageLayer } from "../../src/testing/AzureSettings.ts"

const signatureFor = (services: string, permissions: string): string =>
  generateAccountSASQueryParameters(
    {
      expiresOn: new Date(Date.now() + 3_600_000),
      services: AccountSASServices.parse(services).toString(),
      resourceTypes: AccountSASResourceTypes.parse("sco").toString(),
      permissions: AccountSASPermissions.parse(permissions),
      protocol: SASProtocol.HttpsAndHttp
    },
    new StorageSharedKeyCredential(Demo.accountName, Demo.accountKey)
  ).toString()

const bySignature = ({ blobUrl, queueUrl }: Demo.StorageAddresses, signature: string): string =>
  `QueueEndpoint=${queueUrl};BlobEndpoint=${blobUrl};SharedAccessSignature=${signature}`

/** With what the worker does at both services. */
const used = (connectionString: string) =>
  Effect.gen(function* () {
    const queue = yield* TaskQueue
    const blobs = yield* BlobStore
    yield* queue.check
    yield* queue.send("a task")
    const [message] = yield* queue.receive(1, "1 minute")
    assert.strictEqual(message?.body, "a task")
    const receipt = yield* queue.update({ id: message?.id ?? "", receipt: message?.receipt ?? "" }, "2 minutes")
    yield* queue.complete(receipt)
    const place = { account: { name: Demo.accountName }, container: "documents", path: "a.txt" }
    yield* blobs.ensureContainer(place.account, place.container)
    yield* blobs.upload(place, new TextEncoder().encode("a document"))
    const read = yield* Stream.runCollect(Stream.decodeText(blobs.download(place)))
    assert.strictEqual([...read].join(""), "a document")
  }).pipe(
    Effect.provide(
      Layer.mergeAll(StorageQueue.layer, StorageBlob.layer).pipe(
        Layer.provide(storageLayer(connectionString, { createMissingResources: true }))
      )
    )
  )

describe("a storage connection string that holds", () => {
  it.scopedLive("a shared access signature", () =>
    Effect.flatMap(Demo.storage, (storage) => used(bySignature(storage, signatureFor("bq", "rwdlacup"))))
  )

  it.scopedLive("a signature that may not touch queues is refused, without its text", () =>
    Effect.gen(function* () {
      const storage = yield* Demo.storage
      const signature = signatureFor("b", "rwdlac")
      const error = yield* Effect.flip(used(bySignature(storage, signature)))
      assert.match(String(error), /Storage Queue/)
      assert.notInclude(String(error), new URLSearchParams(signature).get("sig") ?? "none")
    })
  )

  it.scopedLive("UseDevelopmentStorage=true, at the emulator's own ports", (context) =>
    Effect.gen(function* () {
      const folder = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(join(tmpdir(), "contentflow-storage-"))),
        (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
      )
      const started = yield* Effect.either(Demo.storageAt({ folder, queuePort: 10_001, blobPort: 10_000 }))
      // Another emulator may have the ports, and its contents are not ours to touch.
      if (started._tag === "Left") return context.skip("the ports 10000 and 10001 are taken")
      yield* used("UseDevelopmentStorage=true")
    })
  )
})
