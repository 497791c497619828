import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { join } from "node:path"
import * as Database from "../../src/embedded/Database.ts"
import * as Driver from "../../src/embedded/Driver.ts"
import * as SqliteQueue from "../../src/embedded/SqliteQueue.ts"
import { TaskQueue } from "../../src/queue/TaskQueue.ts"
import { taskQueueSuite } from "../../src/testing/suites/TaskQueueSuite.ts"
import * as Folders from "../support/Folders.ts"
import { realSleep } from "../support/RealTime.ts"

const queueIn = (file: string) => Layer.fresh(SqliteQueue.layer.pipe(Layer.provide(Database.layer({ file }))))

taskQueueSuite("SQLite", {
  shared: Layer.empty,
  fresh: () => Layer.unwrapScoped(Effect.map(Folders.temporary, (folder) => queueIn(join(folder, "worker.db")))),
  wait: realSleep
})

describe("SqliteQueue", () => {
  it.scoped("several processes share it: each message goes to one, by leases that hold for all", () =>
    Effect.gen(function* () {
      const file = join(yield* Folders.temporary, "worker.db")
      const open = Effect.map(Layer.build(queueIn(file)), (context) => Effect.provide(TaskQueue, context))
      const [one, other] = yield* Effect.all([Effect.flatten(open), Effect.flatten(open)])
      yield* Effect.forEach(
        Array.from({ length: 100 }, (_, index) => `task ${index}`),
        (body, index) => (index % 2 === 0 ? one.send(body) : other.send(body))
      )
      const received = yield* Effect.forEach(
        Array.from({ length: 50 }, (_, index) => (index % 2 === 0 ? one : other)),
        (queue) => queue.receive(3, "1 minute"),
        { concurrency: "unbounded" }
      )
      const bodies = received.flat().map(({ body }) => body)
      assert.lengthOf(bodies, 100)
      assert.lengthOf(new Set(bodies), 100)
      // A receipt proves the ownership in every process.
      for (const message of received.flat()) yield* other.complete(message)
      assert.strictEqual((yield* one.stats).depth, 0)
    })
  )

  it.scoped("is there again when it is opened again, with its leases, times and poison", () =>
    Effect.gen(function* () {
      const file = join(yield* Folders.temporary, "worker.db")
      const opened = <A, E>(use: (queue: TaskQueue["Type"]) => Effect.Effect<A, E>) =>
        Effect.provide(Effect.flatMap(TaskQueue, use), queueIn(file))
      const lease = yield* opened((queue) =>
        Effect.gen(function* () {
          yield* queue.send("leased")
          yield* queue.send("waiting")
          yield* queue.sendPoison("bad")
          return (yield* queue.receive(1, "1 minute"))[0]!
        })
      )
      yield* opened((queue) =>
        Effect.gen(function* () {
          assert.deepStrictEqual(
            (yield* queue.receive(32, "1 minute")).map(({ body }) => body),
            ["waiting"]
          )
          yield* queue.complete(lease)
          const { depth, poisonDepth } = yield* queue.stats
          assert.deepStrictEqual([depth, poisonDepth], [1, 1])
        })
      )
    })
  )

  it.scoped("what a process had that the system says is dead is there at once, and only that", () =>
    Effect.gen(function* () {
      const file = join(yield* Folders.temporary, "worker.db")
      const open = Effect.flatMap(Layer.build(queueIn(file)), (context) => Effect.provide(TaskQueue, context))
      const first = yield* open
      for (const body of ["a", "b"]) yield* first.send(body)
      const [lease] = yield* first.receive(1, "1 hour")
      yield* first.receive(1, "1 hour")
      const plain = Driver.open(file, 0)
      // Of the two leases one becomes that of a process whose number nobody has, the others are of a living one and of another machine.
      const machine = String(plain.prepare("SELECT machine FROM processes").get()?.["machine"])
      plain
        .prepare("INSERT INTO processes (id, pid, machine) VALUES ('dead', 99999999, ?), ('far', 99999999, 'other')")
        .run(machine)
      plain.prepare("UPDATE messages SET receipt = CASE id WHEN ? THEN 'dead-1' ELSE 'far-1' END").run(lease!.id)
      const second = yield* open
      assert.deepStrictEqual(
        (yield* second.receive(32, "1 minute")).map(({ body }) => body),
        ["a"]
      )
      assert.deepStrictEqual(plain.prepare("SELECT count(*) AS n FROM processes WHERE id = 'dead'").get()?.["n"], 0)
      plain.close()
    })
  )

  it.scoped("is a table that any SQLite program reads", () =>
    Effect.gen(function* () {
      const file = join(yield* Folders.temporary, "worker.db")
      yield* Effect.provide(
        Effect.flatMap(TaskQueue, (queue) => queue.send("größe")),
        queueIn(file)
      )
      const plain = Driver.open(file, 0)
      assert.deepInclude(plain.prepare("SELECT * FROM messages").all()[0], { id: 1, body: "größe", dequeue_count: 0 })
      plain.close()
    })
  )
})
