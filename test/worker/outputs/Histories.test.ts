import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Exit, Fiber, Scope } from "effect"
import * as Engine from "../../support/MemoryEngine.ts"
import * as OutputWorld from "../../support/OutputWorld.ts"

/** Numbers that are the same for a seed each time. */
const diceOf = (seed: number) => {
  let state = seed
  const next = (sides: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * sides)
  }
  return { next, oneOf: <A>(all: ReadonlyArray<A>): A | undefined => all[next(all.length)] }
}

const started = Effect.gen(function* () {
  const scope = yield* Scope.make()
  // What is on its way lands within twice this time: nobody looks before whether it did.
  yield* Scope.extend(OutputWorld.started({ visibilityTimeout: Duration.minutes(5) }), scope)
  return scope
})

/** What it has under way is interrupted when its grace is over. */
const stopped = (scope: Scope.CloseableScope) =>
  Effect.gen(function* () {
    const closing = yield* Effect.fork(Scope.close(scope, Exit.void))
    yield* Engine.pass(60)
    yield* Fiber.join(closing)
  })

/** Crawls and tasks until the outputs are right, or for longer than anything takes. */
const settled = Effect.gen(function* () {
  const world = yield* OutputWorld.World
  world.holds = () => false
  yield* OutputWorld.land
  for (let round = 0; round < 16; round++) {
    yield* Engine.pass(70)
    const isExact = JSON.stringify(yield* OutputWorld.outputs) === JSON.stringify(yield* OutputWorld.wanted)
    if (isExact && round > 0) return
  }
  assert.deepStrictEqual(yield* OutputWorld.outputs, yield* OutputWorld.wanted)
})

const names = ["a.txt", "b.txt", "c.txt", "d.txt", "e.txt", "f.txt"]

const history = (seed: number, steps: number) =>
  Effect.gen(function* () {
    const dice = diceOf(seed)
    yield* OutputWorld.install(OutputWorld.yaml(), { on_source_deleted: "remove", max_deletions_percent: 100 })
    const world = yield* OutputWorld.World
    const story: Array<string> = []
    let engines = [yield* started, yield* started]
    let version = 0
    const hidden = new Map<string, Effect.Effect<boolean>>()
    const some = () => dice.oneOf(names) ?? "a.txt"
    const lines = (name: string) =>
      ["w", "x", "y", "z"].filter(() => dice.next(2) === 0).map((key) => `${name.slice(0, 1)}${key}=${version}`)
    const put = (name: string) => {
      version++
      return OutputWorld.put(name, ...lines(name))
    }
    const step = Effect.gen(function* () {
      const what = dice.oneOf(["put", "put", "put", "drop", "rename", "hide", "back", "hold", "land", "restart"])
      const name = some()
      story.push(`${what} ${name}`)
      if (what === "put") yield* put(name)
      if (what === "drop") yield* OutputWorld.drop(name)
      if (what === "rename") {
        const text = (yield* OutputWorld.inContainer("docs-in"))[name]
        if (text !== undefined) yield* OutputWorld.put(some(), text)
        yield* OutputWorld.drop(name)
      }
      if (what === "hide") hidden.set(name, yield* OutputWorld.hide(name))
      if (what === "back") yield* Effect.all([...hidden.values()])
      // The next output calls never answer; they happen when everybody has gone on.
      if (what === "hold") {
        let left = 1 + dice.next(3)
        world.holds = () => left-- > 0
      }
      if (what === "land") yield* OutputWorld.land
      if (what === "restart") {
        const [first, ...others] = engines
        if (first !== undefined) yield* stopped(first)
        engines = [...others, yield* started]
      }
      yield* Engine.pass(dice.oneOf([1, 10, 40, 70]) ?? 1)
    })
    for (let at = 0; at < steps; at++) {
      yield* step
      if (at % 5 === 4) yield* settled
    }
    yield* settled
    yield* Effect.forEach(engines, stopped)
    return story
  })

describe("after any history the outputs are what the documents give", () => {
  for (const seed of [1, 2, 3]) {
    it.effect(`seed ${seed}`, () => OutputWorld.withInstallation(Effect.asVoid(history(seed, 10))), 120_000)
  }
})

describe("a write that lands when a later version is in place", () => {
  const late = (kind: OutputWorld.Call["kind"], change: Effect.Effect<unknown, unknown, OutputWorld.Installation>) =>
    Effect.gen(function* () {
      yield* OutputWorld.install(OutputWorld.yaml(), { on_source_deleted: "remove", max_deletions_percent: 100 })
      const world = yield* OutputWorld.World
      yield* OutputWorld.put("a.txt", "x=1", "y=1")
      yield* OutputWorld.put("b.txt", "x=1")
      let left = 1
      world.holds = (call) => call.kind === kind && left-- > 0
      const first = yield* started
      yield* Engine.pass(20)
      yield* stopped(first)
      assert.lengthOf(world.held, 1)
      world.holds = () => false
      yield* change
      const second = yield* started
      yield* Engine.pass(130)
      yield* OutputWorld.land
      yield* settled
      yield* stopped(second)
    })
  for (const kind of ["blob", "index"] as const) {
    it.effect(`${kind}: replaces nothing for long`, () =>
      OutputWorld.withInstallation(late(kind, OutputWorld.put("a.txt", "x=2", "z=2")))
    )
    it.effect(`${kind}: leaves nothing of a document that is gone`, () =>
      OutputWorld.withInstallation(late(kind, Effect.all([OutputWorld.drop("a.txt"), OutputWorld.drop("b.txt")])))
    )
  }
})
