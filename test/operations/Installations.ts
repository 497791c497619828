import { it } from "@effect/vitest"
import { Effect, Exit, Fiber, Layer, Scope, TestClock } from "effect"
import * as MemoryBlob from "../../src/blob/MemoryBlob.ts"
import * as WorkerConfig from "../../src/config/WorkerConfig.ts"
import * as Operations from "../../src/operations/Operations.ts"
import { ClaimAccount } from "../../src/worker/ClaimCheck.ts"
import * as VirtualTestClock from "../../src/testing/VirtualTestClock.ts"
import * as FakeRunner from "../support/FakeRunner.ts"
import * as Engine from "../support/MemoryEngine.ts"
import * as SqliteServices from "../support/SqliteServices.ts"

const sqlite: typeof Engine.ports = Layer.mergeAll(
  SqliteServices.layer,
  MemoryBlob.layer,
  FakeRunner.layer,
  Layer.succeed(ClaimAccount, "own")
)

export type Operated = Engine.Installation | Layer.Layer.Success<typeof Operations.layer>

export const start = Date.parse("2026-01-02T10:00:00Z")

/** The stores that tests of operations run on. */
export const stores = [
  ["memory", Engine.ports],
  ["SQLite", sqlite]
] as const

/** A test of operations on each of the stores, with the test's clock. */
export const onEachStore = (name: string, body: () => Effect.Effect<void, unknown, Operated | Scope.Scope>): void => {
  for (const [store, ports] of stores) {
    it.effect(`${name} (${store})`, () =>
      Effect.gen(function* () {
        yield* TestClock.setTime(start)
        const scope = yield* Scope.make()
        const exit = yield* Effect.exit(
          Scope.extend(Effect.zipRight(Effect.orDie(Engine.install), body()), scope).pipe(
            Effect.provide(Layer.provide(Operations.layer, WorkerConfig.layerWith({})))
          )
        )
        const closing = yield* Effect.fork(Scope.close(scope, Exit.void))
        yield* Engine.pass(60)
        yield* Fiber.join(closing)
        yield* exit
      }).pipe(Effect.provide(ports), Effect.scoped, VirtualTestClock.within())
    )
  }
}
