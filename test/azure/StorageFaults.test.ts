import { assert, describe, it } from "@effect/vitest"
import { Cause, Clock, Deferred, Effect, Exit, Fiber, Layer, Stream, TestClock } from "effect"
import { BlobStore } from "../../src/blob/BlobStore.ts"
import * as StorageBlob from "../../src/blob/StorageBlob.ts"
import * as StorageQueue from "../../src/queue/StorageQueue.ts"
import { LeaseLost, TaskQueue } from "../../src/queue/TaskQueue.ts"
import { storageLayer } from "../../src/testing/AzureSettings.ts"
import * as FaultServer from "../support/FaultServer.ts"
import { realSleep, until } from "../support/RealTime.ts"

const accountKey = "c2VjcmV0LWFjY291bnQta2V5"
const signature = "c2VjcmV0LXNpZ25hdHVyZQ"

const byKey = (url: string) =>
  `DefaultEndpointsProtocol=http;AccountName=acct;AccountKey=${accountKey};QueueEndpoint=${url}/acct;BlobEndpoint=${url}/acct`
const bySignature = (url: string) =>
  `QueueEndpoint=${url}/acct;BlobEndpoint=${url}/acct;SharedAccessSignature=sv=2025-11-05&ss=bq&sig=${signature}`

const ports = (connectionString: string) =>
  Layer.mergeAll(StorageQueue.layer, StorageBlob.layer).pipe(
    Layer.provide(storageLayer(connectionString, { createMissingResources: false }))
  )

/** Runs against a server that answers as told. */
const against = <A, E>(
  body: (server: FaultServer.FaultServer) => Effect.Effect<A, E, TaskQueue | BlobStore>,
  connectionString = byKey
) =>
  Effect.gen(function* () {
    const server = yield* FaultServer.make
    return yield* Effect.provide(body(server), ports(connectionString(server.url)))
  }).pipe(Effect.scoped)

/** Ends every pause between two tries at once. Time-outs are longer than that: they stay where they are, as real time does not count. */
const withoutPauses = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const known = new Set(yield* TestClock.sleeps())
    const tick = Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      for (const end of yield* TestClock.sleeps()) {
        if (known.has(end)) continue
        known.add(end)
        if (end - now > 5000) continue
        yield* TestClock.setTime(end)
        break
      }
      yield* realSleep("1 millis")
    })
    return yield* Effect.raceFirst(effect, Effect.forever(tick))
  })

const receive = Effect.flatMap(TaskQueue, (queue) => queue.receive(32, "1 minute"))
const lease = { id: "m", receipt: "r" }
const location = { account: { name: "acct" }, container: "docs", path: "a.bin" }
const download = Effect.flatMap(BlobStore, (store) => Stream.runCollect(store.download(location))).pipe(
  Effect.map((pieces) => Buffer.concat(Array.from(pieces)).toString())
)
const bytes = (text: string) => new TextEncoder().encode(text)

/** A blob in a listing of a hierarchical account. */
const listed = (name: string, type: string) =>
  `<Blob><Name>${name}</Name><Properties><Last-Modified>Fri, 02 Jan 2026 10:00:00 GMT</Last-Modified><Etag>0x1</Etag>` +
  `<ResourceType>${type}</ResourceType><Content-Length>0</Content-Length></Properties></Blob>`

describe("faults of the Storage services", () => {
  it.effect("a receive is one request, whatever comes back", () =>
    against((server) =>
      Effect.gen(function* () {
        const cases = [
          [FaultServer.status(429, { "retry-after": "3" }), "Throttled"],
          [FaultServer.status(503, { "x-ms-retry-after-ms": "1500" }, "ServerBusy"), "Throttled"],
          [FaultServer.status(503, {}, "ServerBusy"), "Unavailable"],
          [FaultServer.status(500, {}, "InternalError"), "Unavailable"],
          [FaultServer.status(408), "Unavailable"],
          [FaultServer.status(403, {}, "AuthorizationPermissionMismatch"), "Unauthorized"],
          [FaultServer.status(401), "Unauthorized"],
          [FaultServer.status(404, {}, "QueueNotFound"), "NotFound"],
          [FaultServer.status(400, {}, "OutOfRangeQueryParameterValue"), "Invalid"],
          [FaultServer.cut, "Unavailable"],
          [FaultServer.cutAfter(bytes("<QueueMessagesList>"), 500), "Unavailable"],
          [FaultServer.ok("<QueueMessagesList><QueueMessage>"), "Unavailable"]
        ] as const
        for (const [index, [answer, tag]] of cases.entries()) {
          server.answer(answer)
          const error = yield* Effect.flip(receive)
          assert.strictEqual(error._tag, tag, `case ${index}: ${error.message}`)
          assert.strictEqual(error.operation, "receive from tasks")
          assert.strictEqual(server.seen.length, index + 1)
        }
      })
    )
  )

  it.effect("an address where nobody listens is unavailable", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(receive)
      assert.strictEqual(error._tag, "Unavailable")
      assert.include(error.message, "127.0.0.1:1")
    }).pipe(Effect.provide(ports(byKey("http://127.0.0.1:1"))))
  )

  it.effect("a void receipt is a lost lease, a missing queue is not", () =>
    against((server) =>
      Effect.gen(function* () {
        const queue = yield* TaskQueue
        for (const answer of [
          FaultServer.status(404, {}, "MessageNotFound"),
          FaultServer.status(400, {}, "PopReceiptMismatch")
        ]) {
          server.answer(answer)
          assert.instanceOf(yield* Effect.flip(queue.complete(lease)), LeaseLost)
          assert.instanceOf(yield* Effect.flip(queue.update(lease, "1 minute")), LeaseLost)
        }
        server.answer(FaultServer.status(404, {}, "QueueNotFound"))
        assert.strictEqual((yield* Effect.flip(queue.complete(lease)))._tag, "NotFound")
        server.answer(FaultServer.cut)
        const before = server.seen.length
        assert.strictEqual((yield* Effect.flip(queue.complete(lease)))._tag, "Unavailable")
        assert.strictEqual((yield* Effect.flip(queue.update(lease, "1 minute")))._tag, "Unavailable")
        assert.strictEqual(server.seen.length, before + 2)
      })
    )
  )

  it.effect("a send tries again what can heal, and gives up after the third time", () =>
    against((server) =>
      Effect.gen(function* () {
        const queue = yield* TaskQueue
        const sent = FaultServer.ok(
          "<QueueMessagesList><QueueMessage><MessageId>m</MessageId><PopReceipt>r</PopReceipt></QueueMessage></QueueMessagesList>",
          {},
          201
        )
        server.answer(FaultServer.status(503, { "retry-after": "1" }), FaultServer.cut, sent)
        yield* withoutPauses(queue.send("task"))
        assert.strictEqual(server.seen.length, 3)
        yield* queue.awaitSend

        server.answer(FaultServer.status(500))
        assert.strictEqual((yield* Effect.flip(withoutPauses(queue.send("task"))))._tag, "Unavailable")
        assert.strictEqual(server.seen.length, 6)

        server.answer(FaultServer.status(403))
        assert.strictEqual((yield* Effect.flip(queue.send("task")))._tag, "Unauthorized")
        assert.strictEqual(server.seen.length, 7)

        // Waiting that long is the caller's decision.
        server.answer(FaultServer.status(429, { "retry-after": "60" }))
        assert.strictEqual((yield* Effect.flip(queue.send("task")))._tag, "Throttled")
        assert.strictEqual(server.seen.length, 8)
      })
    )
  )

  it.effect("interruption aborts the request", () =>
    against((server) =>
      Effect.gen(function* () {
        server.answer(FaultServer.silence)
        const receiving = yield* Effect.fork(receive)
        yield* server.arrival
        assert.isTrue(Exit.isInterrupted(yield* Fiber.interrupt(receiving)))
        yield* server.abort
      })
    )
  )

  it.effect("a call that is called off happens once at most, also over a connection that was used before", () =>
    against((server) =>
      Effect.gen(function* () {
        const queue = yield* TaskQueue
        for (let round = 0; round < 5; round++) {
          server.answer(FaultServer.status(204))
          yield* queue.complete(lease)
          const before = server.seen.length
          server.answer(FaultServer.silence)
          const call = yield* Effect.fork(queue.complete(lease))
          yield* until(Effect.sync(() => server.seen.length > before))
          yield* Fiber.interrupt(call)
        }
        server.answer(FaultServer.status(204))
        yield* queue.complete(lease)
        assert.lengthOf(server.seen, 11)
      })
    )
  )

  it.effect("a call whose connection is cut is made once, also over one that was used before", () =>
    against((server) =>
      Effect.gen(function* () {
        const queue = yield* TaskQueue
        server.answer(FaultServer.status(204), FaultServer.cut)
        yield* queue.complete(lease)
        assert.strictEqual((yield* Effect.flip(queue.complete(lease)))._tag, "Unavailable")
        assert.lengthOf(server.seen, 2)
      })
    )
  )

  it.effect("calls that are called off at any moment harm no others and not the process", () =>
    against((server) =>
      Effect.gen(function* () {
        const queue = yield* TaskQueue
        server.answer(FaultServer.silence)
        for (let moment = 0; moment < 60; moment++) {
          // Before it has a connection, and then with the connection that it did not use.
          const early = yield* Effect.fork(queue.complete(lease))
          for (let tick = 0; tick < moment; tick++) yield* Effect.promise(() => Promise.resolve())
          yield* Fiber.interrupt(early)
          yield* realSleep("2 millis")
          const before = server.seen.length
          const late = yield* Effect.fork(queue.complete(lease))
          yield* until(Effect.sync(() => server.seen.length > before))
          yield* Fiber.interrupt(late)
        }
        server.answer(FaultServer.cut)
        assert.strictEqual((yield* Effect.flip(queue.complete(lease)))._tag, "Unavailable")
        server.answer(FaultServer.status(204))
        yield* queue.complete(lease)
      })
    )
  )

  it.effect("a service that says nothing for half a minute is given up", () =>
    against((server) =>
      Effect.gen(function* () {
        server.answer(FaultServer.silence)
        const receiving = yield* Effect.fork(Effect.flip(receive))
        yield* server.arrival
        yield* TestClock.adjust("29 seconds")
        assert.isNull(receiving.unsafePoll())
        yield* TestClock.adjust("1 second")
        const error = yield* Fiber.join(receiving)
        assert.strictEqual(error._tag, "Unavailable")
        assert.include(error.message, "30s")
        yield* server.abort
      })
    )
  )

  it.effect("a download goes on where its connection was cut, with the same version", () =>
    against((server) =>
      Effect.gen(function* () {
        server.answer(
          FaultServer.cutAfter(bytes("first "), 17, { etag: '"v1"' }),
          FaultServer.cutAfter(bytes("second "), 11, { etag: '"v1"', "content-range": "bytes 6-16/17" }, 206),
          FaultServer.ok("last", { "content-length": "4", etag: '"v1"', "content-range": "bytes 13-16/17" }, 206)
        )
        assert.strictEqual(yield* withoutPauses(download), "first second last")
        const asked = server.seen.map(({ headers }) => [headers["x-ms-range"] ?? headers["range"], headers["if-match"]])
        assert.deepStrictEqual(asked, [
          [undefined, undefined],
          ["bytes=6-", '"v1"'],
          ["bytes=13-", '"v1"']
        ])
      })
    )
  )

  it.effect("a blob that changed in the middle is not glued together", () =>
    against((server) =>
      Effect.gen(function* () {
        server.answer(
          FaultServer.cutAfter(bytes("first "), 17, { etag: '"v1"' }),
          FaultServer.status(412, {}, "ConditionNotMet")
        )
        assert.strictEqual((yield* Effect.flip(withoutPauses(download)))._tag, "PreconditionFailed")
      })
    )
  )

  it.effect("a download whose connections are always cut ends", () =>
    against((server) =>
      Effect.gen(function* () {
        server.answer(FaultServer.cutAfter(bytes("x"), 100, { etag: '"v1"' }))
        const error = yield* Effect.flip(withoutPauses(download))
        assert.strictEqual(error._tag, "Unavailable")
        assert.strictEqual(error.operation, "download docs/a.bin")
        assert.strictEqual(server.seen.length, 6)
      })
    )
  )

  it.effect("a body that stands still for a minute is asked for again, and given up when nothing more comes", () =>
    against((server) =>
      Effect.gen(function* () {
        server.answer(
          FaultServer.stallAfter(bytes("x"), 100, { etag: '"v1"' }),
          FaultServer.stallAfter(bytes(""), 99, { etag: '"v1"', "content-range": "bytes 1-99/100" }, 206)
        )
        const store = yield* BlobStore
        const first = yield* Deferred.make<number>()
        const reading = yield* Effect.fork(
          Effect.flip(Stream.runForEach(store.download(location), (piece) => Deferred.succeed(first, piece.length)))
        )
        assert.strictEqual(yield* Deferred.await(first), 1)
        yield* TestClock.adjust("1 minute")
        yield* until(Effect.sync(() => server.seen.length === 2))
        yield* TestClock.adjust("1 minute")
        const error = yield* Fiber.join(reading)
        assert.strictEqual(error._tag, "Unavailable")
        assert.include(error.message, "no answer within")
        assert.strictEqual(server.seen[1]?.headers["x-ms-range"] ?? server.seen[1]?.headers["range"], "bytes=1-")
        yield* server.abort
      })
    )
  )

  it.effect("a download is read as fast as it is used, and closed when nobody wants more", () =>
    against((server) =>
      Effect.gen(function* () {
        const piece = new Uint8Array(1 << 20)
        const total = 256
        let written = 0
        server.answer((response) => {
          response.writeHead(200, { "content-length": String(total * piece.length), etag: '"v1"' })
          const more = () => {
            for (; written < total;) {
              written++
              if (!response.write(piece)) return
            }
            response.end()
          }
          response.on("drain", more)
          more()
        })
        const store = yield* BlobStore
        yield* Stream.runDrain(Stream.take(store.download(location), 2))
        yield* server.abort
        assert.isBelow(written, total)
      })
    )
  )

  it.effect("a creation is tried once: a second try would find the first one's blob", () =>
    against((server) =>
      Effect.gen(function* () {
        const store = yield* BlobStore
        server.answer(FaultServer.status(503))
        const error = yield* Effect.flip(store.upload(location, bytes("x"), { overwrite: false }))
        assert.strictEqual(error._tag, "Unavailable")
        assert.strictEqual(server.seen.length, 1)
        assert.strictEqual(server.seen[0]?.headers["if-none-match"], "*")
        server.answer(FaultServer.status(412, {}, "ConditionNotMet"))
        assert.strictEqual(
          (yield* Effect.flip(store.upload(location, bytes("x"), { overwrite: false })))._tag,
          "Conflict"
        )
      })
    )
  )

  it.effect("sees the directories of a hierarchical account without asking for metadata", () =>
    against((server) =>
      Effect.gen(function* () {
        const hostile = "a&lt;Blob&gt;&lt;ResourceType&gt;directory&lt;/ResourceType&gt;"
        server.answer(
          FaultServer.ok(
            `<?xml version="1.0"?><EnumerationResults ContainerName="docs"><Blobs>${listed(hostile, "file")}${listed("dir", "directory")}${listed("dir/x", "file")}</Blobs><NextMarker/></EnumerationResults>`,
            { date: "Fri, 02 Jan 2026 11:00:00 GMT" }
          )
        )
        const store = yield* BlobStore
        const pages = yield* Stream.runCollect(store.list({ account: location.account, container: "docs" }))
        const [page] = pages
        assert.strictEqual(page?.servedAt, Date.UTC(2026, 0, 2, 11))
        assert.deepStrictEqual(
          page?.blobs.map(({ isDirectory, path }) => [path, isDirectory]),
          [
            ["a<Blob><ResourceType>directory</ResourceType>", false],
            ["dir", true],
            ["dir/x", false]
          ]
        )
        assert.notInclude(server.seen[0]?.url, "metadata")
      })
    )
  )

  it.effect("no text of an error has a key, a signature or an address with one", () =>
    Effect.gen(function* () {
      for (const connectionString of [byKey, bySignature]) {
        yield* against(
          (server) =>
            Effect.gen(function* () {
              const queue = yield* TaskQueue
              const store = yield* BlobStore
              const calls: ReadonlyArray<Effect.Effect<unknown, unknown>> = [
                queue.send("x"),
                queue.receive(1, "1 minute"),
                queue.update(lease, "1 minute"),
                queue.complete(lease),
                queue.sendPoison("x"),
                queue.stats,
                queue.check,
                store.upload(location, bytes("x")),
                store.remove(location),
                store.ensureContainer(location.account, "docs"),
                Stream.runDrain(store.download(location)),
                Stream.runDrain(store.list({ account: location.account, container: "docs" }))
              ]
              for (const answer of [
                FaultServer.status(403, {}, "AuthenticationFailed"),
                FaultServer.status(500, {}, "InternalError"),
                FaultServer.cut
              ]) {
                server.answer(answer)
                for (const call of calls) {
                  const exit = yield* Effect.exit(withoutPauses(call))
                  assert.isTrue(Exit.isFailure(exit))
                  if (Exit.isSuccess(exit)) continue
                  const text = Cause.pretty(exit.cause) + JSON.stringify(exit.cause)
                  for (const secret of [accountKey, signature, "sig=", "SharedKey"]) assert.notInclude(text, secret)
                }
              }
              // The secret was in use all the time.
              const [first] = server.seen
              assert.include(
                connectionString === byKey ? first?.headers["authorization"] : first?.url,
                connectionString === byKey ? "SharedKey acct:" : signature
              )
            }),
          connectionString
        )
      }
    })
  )
})
