import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import * as Timestamp from "../../src/domain/Timestamp.ts"
import type { Fault, Incident } from "../../src/testing/CrashingPorts.ts"
import * as World from "./CrashWorld.ts"

/**
 * Lives the life with the fault at its first call, its second, … until all has ended before it strikes; adds each to `struck`, and gives
 * the number of calls.
 */
export const everywhere = (
  life: World.Life,
  fault: Fault,
  struck: Set<string>,
  before: ReadonlyArray<Incident> = []
): Effect.Effect<number> =>
  Effect.gen(function* () {
    for (let at = 0; ; at++) {
      const incidents = [...before, { at, fault }]
      const lived = yield* World.live(life, incidents)
      verify(life, lived, incidents)
      const name = lived.processes[before.length]?.struck()
      if (name !== undefined) struck.add(name)
      // The process that the fault was meant for never came to be, or had nothing left to do when it was struck.
      if (lived.processes.length <= before.length || (lived.overAfter[before.length] ?? Infinity) <= at) return at
    }
  })

/** What must hold when a life is over. */
export const verify = (
  life: World.Life,
  { ended, processes, world }: World.Lived,
  incidents: ReadonlyArray<Incident>
) => {
  const story = processes
    .map(({ struck }, index) => {
      const name = struck()
      return name === undefined ? "" : `${incidents[index]?.fault} call ${incidents[index]?.at}, ${name}`
    })
    .filter(Boolean)
  const told = (what: string) => `${what} [${story.join("; ")}]`
  const failing = incidents.some(({ fault }) => fault.startsWith("fails"))

  assert.deepStrictEqual([...world.broken], [], told("between two calls"))
  assert.isTrue(ended, told("everything ends"))
  assert.deepStrictEqual(world.tasks, [], told("the queue is empty"))
  assert.deepStrictEqual(world.locks, [], told("no lock is left"))

  // A crawl that failed leaves a record of its own, without a task.
  const executions = world.executions.filter((each) => !(failing && each["task_id"] === null))
  assert.sameMembers(executions.map(World.nameIn), Object.keys(life.documents), told("one execution a document"))
  for (const execution of executions) {
    const name = World.nameIn(execution)
    assert.strictEqual(execution["status"], life.documents[name], told(`${name}: ${String(execution["error"])}`))
    const runs = world.runs.get(name) ?? 0
    const usual = life.runs?.[name] ?? 1
    assert.isAtLeast(runs, usual === 0 ? 0 : 1, told(`${name} was read`))
    assert.isAtMost(
      runs,
      usual === 0 ? 0 : usual + story.length,
      told(`${name} was read once more for each incident at most`)
    )
    if (execution["status"] === "failed") {
      assert.strictEqual(execution["error"], "This is no document.", told(name))
      assert.isFalse(world.blobs.has(World.outputOf(name)), told(`${name} has no output`))
      continue
    }
    const data = { text: World.textOf(name), read: true }
    assert.isNull(execution["error"], told(name))
    assert.deepStrictEqual(dataOf(execution), data, told(`${name}: its result is recorded`))
    assert.deepStrictEqual(outputIn(world, name), data, told(`${name}: its output`))
  }

  const failures = executions.filter(({ status }) => status === "failed")
  if (Object.keys(life.documents).length === 0 || failures.length > 0) {
    assert.isAtLeast(world.poison.length, 1, told("it is in the poison queue"))
    assert.isAtMost(world.poison.length, 1 + story.length, told("once, and once more for each incident at most"))
    assert.lengthOf(new Set(world.poison.map(({ reason }) => reason)), 1, told("always for the same reason"))
    for (const execution of failures)
      assert.strictEqual(world.poison[0]?.reason, execution["error"], told("the reason"))
  } else {
    assert.deepStrictEqual(world.poison, [], told("nothing is in the poison queue"))
  }

  const claims = [...world.blobs.keys()].filter((path) => path.startsWith("contentflow-tasks/tasks/"))
  // What is in the poison queue may be tried again: its content stays.
  const kept = failures.some((each) => World.nameIn(each).startsWith("big")) ? 1 : 0
  assert.lengthOf(claims, kept, told(`content that is needed no more: ${claims.join(", ")}`))

  if (life.settings.sourceWorkers === 1) {
    const [checkpoint] = world.checkpoints
    const at = Timestamp.parse(checkpoint?.["checkpoint_timestamp"])
    // Beside it lies the copy for the original.
    assert.lengthOf(
      world.checkpoints.filter((each) => "crawling" in each),
      1,
      told("one checkpoint")
    )
    assert.isAtLeast(
      Option.getOrElse(at, () => 0),
      World.start,
      told("the checkpoint moved")
    )
    assert.isAtMost(
      Option.getOrElse(at, () => 0),
      world.clock.now(),
      told("the checkpoint lies in the past")
    )
  } else {
    assert.deepStrictEqual(world.checkpoints, [], told("no checkpoint"))
  }
}

const dataOf = (execution: Readonly<Record<string, unknown>>): unknown =>
  Array.isArray(execution["content"]) ? execution["content"][0]?.data : undefined

const outputIn = ({ blobs }: World.World, name: string): unknown =>
  JSON.parse(Buffer.from(blobs.get(World.outputOf(name)) ?? []).toString("utf8")).data

/** A life, and the service calls that it makes at least when nothing happens. */
export type TestedLife = World.Life & { readonly atLeast: number }

/** Tests for each life: undisturbed, and with each fault at each of its calls. Gives the calls that were struck, when they have run. */
export const attack = (
  lives: ReadonlyArray<TestedLife>,
  faults: ReadonlyArray<readonly [what: string, Fault]>
): Set<string> => {
  const struck = new Set<string>()
  for (const life of lives) {
    describe(life.name, () => {
      it.effect("ends as it should when nothing happens", () =>
        Effect.map(World.live(life, []), (lived) => {
          verify(life, lived, [])
          for (const [name, runs] of lived.world.runs) assert.strictEqual(runs, life.runs?.[name] ?? 1, name)
          assert.isAtLeast(lived.overAfter[0] ?? 0, life.atLeast)
        })
      )
      for (const [what, fault] of faults) {
        it.effect(what, () =>
          Effect.map(everywhere(life, fault, struck), (calls) => assert.isAtLeast(calls, life.atLeast))
        )
      }
    })
  }
  return struck
}
