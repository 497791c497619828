import { assert, describe } from "@effect/vitest"
import { Effect, Fiber, Option, Stream } from "effect"
import * as Changes from "../../src/http/Changes.ts"
import { Unavailable } from "../../src/domain/ServiceError.ts"
import { Executions } from "../../src/operations/Executions.ts"
import { OperationLog } from "../../src/operations/OperationLog.ts"
import { MemoryStores } from "../../src/store/MemoryStores.ts"
import { onEachStore } from "../operations/Installations.ts"
import * as Engine from "../support/MemoryEngine.ts"

const stored = (id: number, status: string) =>
  Effect.flatMap(MemoryStores, ({ executions }) => executions.upsert({ ...Engine.execution(id), status }))

/** The events of a stream, with their data, as far as they came. */
const following = Effect.gen(function* () {
  const stream = yield* Effect.flatMap(Changes.make, Effect.map(Option.getOrThrow))
  const decoder = new TextDecoder()
  let text = ""
  yield* Effect.forkScoped(Stream.runForEach(stream, (bytes) => Effect.sync(() => (text += decoder.decode(bytes)))))
  yield* Engine.pass(0)
  return () =>
    [...text.matchAll(/^event: (\w+)\ndata: (.*)$/gm)].map(([, event, data = ""]) => {
      const { id = null, status = null } = JSON.parse(data) as { readonly id?: string; readonly status?: string }
      return [event, id, status]
    })
})

describe("the stream of changes", () => {
  onEachStore("tells that it is ready, and then each execution that is new or changed, once", () =>
    Effect.gen(function* () {
      yield* stored(1, "pending")
      const events = yield* following
      assert.deepStrictEqual(events(), [["ready", null, null]])
      // Between its first look and the next.
      yield* stored(2, "pending")
      yield* Engine.pass(10)
      yield* stored(1, "running")
      yield* Engine.pass(10)
      assert.deepStrictEqual(events().slice(1), [
        ["execution", Engine.execution(2).id, "pending"],
        ["execution", Engine.execution(1).id, "running"]
      ])
    })
  )

  onEachStore(
    "is ready when the stores were looked at, however long they are away, and tells what changes from then on",
    () =>
      Effect.gen(function* () {
        const executions = yield* Executions
        let failures = 10
        const away = new Unavailable({ service: "Cosmos DB", operation: "read", message: "away" })
        const list: typeof executions.list = (...call) => (failures-- > 0 ? away : executions.list(...call))
        const events = yield* Effect.provideService(following, Executions, { ...executions, list })
        yield* Engine.pass(2)
        assert.deepStrictEqual(events(), [])
        yield* Engine.pass(10)
        assert.deepStrictEqual(events(), [["ready", null, null]])
        yield* stored(1, "pending")
        yield* Engine.pass(3)
        assert.deepStrictEqual(events().slice(1), [["execution", Engine.execution(1).id, "pending"]])
      })
  )

  onEachStore("tells what people do", () =>
    Effect.gen(function* () {
      const events = yield* following
      const log = yield* OperationLog
      yield* log.record({ verb: "retention", target: null, by: "ann", count: 1, note: "old" })
      yield* Engine.pass(3)
      assert.deepStrictEqual(
        events().map(([event]) => event),
        ["ready", "operation"]
      )
    })
  )

  onEachStore("is refused to more than so many, and free again when they have gone", () =>
    Effect.gen(function* () {
      const open = yield* Changes.make
      const places = yield* Effect.replicateEffect(open, Changes.mostStreams)
      assert.isTrue(places.every(Option.isSome))
      assert.isTrue(Option.isNone(yield* open))
      const [first] = places
      const reading = yield* Effect.fork(Stream.runDrain(Option.getOrElse(first ?? Option.none(), () => Stream.empty)))
      // Those who never began to read have lost their places.
      yield* Engine.pass(11)
      const again = yield* Effect.replicateEffect(open, Changes.mostStreams)
      assert.lengthOf(again.filter(Option.isSome), Changes.mostStreams - 1)
      yield* Fiber.interrupt(reading)
      assert.isTrue(Option.isSome(yield* open))
    })
  )
})
