import { assert, it } from "@effect/vitest"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Layer from "effect/Layer"
import type { ServiceError } from "../../domain/ServiceError.ts"
import { LeaseLost, type ReceivedMessage, TaskQueue } from "../../queue/TaskQueue.ts"

/** How the suite gets at an implementation. */
export interface Backend<S> {
  /** What all tests share: the emulator, or nothing. */
  readonly shared: Layer.Layer<S>
  /** An empty queue; every test gets its own. */
  readonly fresh: (number: number) => Layer.Layer<TaskQueue, ServiceError, S>
  /** Lets time pass for the queue. */
  readonly wait: (duration: Duration.DurationInput) => Effect.Effect<void>
}

/** What every TaskQueue does. */
export const taskQueueSuite = <S>(name: string, backend: Backend<S>) => {
  let number = 0
  const { wait } = backend

  it.layer(backend.shared)(`TaskQueue (${name})`, (it) => {
    const test = <E>(title: string, body: Effect.Effect<void, E, TaskQueue>) =>
      it.effect(title, () => Effect.provide(body, backend.fresh(++number)))

    test(
      "hands out what was sent, oldest first, and says how often",
      Effect.gen(function* () {
        const queue = yield* TaskQueue
        for (const body of ["one", "two", "three"]) yield* queue.send(body)
        const first = yield* queue.receive(2, "1 minute")
        assert.deepStrictEqual(bodies(first), ["one", "two"])
        assert.deepStrictEqual(
          first.map((message) => message.dequeueCount),
          [1, 1]
        )
        assert.strictEqual(new Set(first.map((message) => message.id)).size, 2)
        assert.deepStrictEqual(bodies(yield* queue.receive(32, "1 minute")), ["three"])
        assert.deepStrictEqual(yield* queue.receive(32, "1 minute"), [])
      })
    )

    test(
      "never hands out more than 32 messages, and nothing when asked for none",
      Effect.gen(function* () {
        const queue = yield* TaskQueue
        yield* Effect.forEach(Array.from({ length: 40 }, String), queue.send, { concurrency: 8, discard: true })
        assert.deepStrictEqual(yield* queue.receive(0, "1 minute"), [])
        assert.strictEqual((yield* queue.receive(100, "1 minute")).length, 32)
        assert.strictEqual((yield* queue.receive(100, "1 minute")).length, 8)
      })
    )

    test(
      "gives back the same text, whatever is in it",
      Effect.gen(function* () {
        const queue = yield* TaskQueue
        const texts = [
          `<task a="b">&amp; ]]> 'x'</task>`,
          "  blanks around  ",
          '{"name": "Übergrößenträger 😀", "n": 1}',
          "123",
          "true",
          "&#65;"
        ]
        for (const text of texts) {
          yield* queue.send(text)
          const message = yield* receiveOne(queue)
          assert.strictEqual(message.body, text)
          yield* queue.complete(message)
        }
      })
    )

    test(
      "a message is invisible until its time is over, then comes back with a new receipt",
      Effect.gen(function* () {
        const queue = yield* TaskQueue
        yield* queue.send("task")
        const [first] = yield* queue.receive(1, "1 second")
        assert.deepStrictEqual(yield* queue.receive(1, "1 minute"), [])
        yield* wait("1100 millis")
        const second = yield* receiveOne(queue)
        assert.strictEqual(second.id, first?.id)
        assert.strictEqual(second.dequeueCount, 2)
        assert.strictEqual(second.insertedAt, first?.insertedAt)
        assert.notStrictEqual(second.receipt, first?.receipt)
        assert.instanceOf(yield* Effect.flip(queue.complete(first!)), LeaseLost)
        yield* queue.complete(second)
      })
    )

    test(
      "who lost no message to another may still finish it after its time",
      Effect.gen(function* () {
        const queue = yield* TaskQueue
        yield* queue.send("task")
        const [message] = yield* queue.receive(1, "1 second")
        yield* wait("1100 millis")
        yield* queue.complete(message!)
        assert.deepStrictEqual(yield* queue.receive(1, "1 minute"), [])
      })
    )

    test(
      "a renewal prolongs the lease, keeps the body and voids the old receipt",
      Effect.gen(function* () {
        const queue = yield* TaskQueue
        yield* queue.send(`{"a": "<&>"}`)
        const [message] = yield* queue.receive(1, "1 second")
        const renewed = yield* queue.update(message!, "1 minute")
        assert.strictEqual(renewed.id, message?.id)
        yield* wait("1100 millis")
        assert.deepStrictEqual(yield* queue.receive(1, "1 minute"), [])
        const lost = yield* Effect.flip(queue.update(message!, "1 minute"))
        assert.instanceOf(lost, LeaseLost)
        assert.strictEqual(lost.messageId, message?.id)
        yield* queue.update(renewed, 0)
        assert.strictEqual((yield* receiveOne(queue)).body, `{"a": "<&>"}`)
      })
    )

    test(
      "a release makes the message visible at once, with its new body",
      Effect.gen(function* () {
        const queue = yield* TaskQueue
        yield* queue.send("first attempt")
        const released = yield* queue.update(yield* receiveOne(queue), 0, "second attempt & more")
        const again = yield* receiveOne(queue)
        assert.strictEqual(again.body, "second attempt & more")
        assert.strictEqual(again.dequeueCount, 2)
        assert.instanceOf(yield* Effect.flip(queue.complete(released)), LeaseLost)
      })
    )

    test(
      "a completed message is gone, and its lease with it",
      Effect.gen(function* () {
        const queue = yield* TaskQueue
        yield* queue.send("task")
        const message = yield* receiveOne(queue)
        yield* queue.complete(message)
        assert.instanceOf(yield* Effect.flip(queue.complete(message)), LeaseLost)
        assert.instanceOf(yield* Effect.flip(queue.update(message, "1 minute")), LeaseLost)
        assert.strictEqual((yield* queue.stats).depth, 0)
      })
    )

    test(
      "takes 64 KiB of UTF-8 and refuses one byte more, wherever it is sent",
      Effect.gen(function* () {
        const queue = yield* TaskQueue
        // ASCII: the emulator breaks long texts in the middle of other characters.
        const largest = "x".repeat(65_536)
        yield* queue.send(largest)
        const message = yield* receiveOne(queue)
        assert.strictEqual(message.body, largest)
        for (const refused of [
          queue.send(`${"ü".repeat(32_768)}x`),
          queue.sendPoison(`${largest}x`),
          Effect.asVoid(queue.update(message, 0, `${largest}x`))
        ]) {
          const error = yield* Effect.flip(refused)
          assert.isTrue(error._tag === "Invalid" && error.reason === "TooLarge", error.message)
          assert.include(error.message, "65537 bytes")
        }
        assert.strictEqual((yield* queue.stats).depth, 1)
      })
    )

    test(
      "refuses characters that XML can't carry, and names them",
      Effect.gen(function* () {
        const queue = yield* TaskQueue
        for (const [body, name] of [
          ["ab\u0001", "U+0001 at 2"],
          ["\uFFFE", "U+FFFE at 0"],
          ["half \uD83D", "U+D83D at 5"]
        ] as const) {
          const error = yield* Effect.flip(queue.send(body))
          assert.isTrue(error._tag === "Invalid" && error.reason === "BadRequest", error.message)
          assert.include(error.message, name)
        }
        assert.strictEqual((yield* queue.stats).depth, 0)
      })
    )

    test(
      "counts messages, the oldest one's age and the poison queue",
      Effect.gen(function* () {
        const queue = yield* TaskQueue
        assert.deepStrictEqual(yield* queue.stats, { depth: 0, oldestAgeMillis: null, poisonDepth: 0 })
        yield* queue.send("one")
        yield* queue.send("two")
        yield* queue.sendPoison("bad")
        yield* wait("1100 millis")
        const before = yield* queue.stats
        assert.strictEqual(before.depth, 2)
        assert.strictEqual(before.poisonDepth, 1)
        // The service's dates have whole seconds.
        assert.isAtLeast(before.oldestAgeMillis ?? -1, 100)
        yield* queue.receive(2, "1 minute")
        assert.deepStrictEqual(yield* queue.stats, { depth: 2, oldestAgeMillis: null, poisonDepth: 1 })
      })
    )

    test(
      "wakes the poller once for what was sent since it last looked",
      Effect.gen(function* () {
        const queue = yield* TaskQueue
        yield* queue.send("one")
        yield* queue.send("two")
        yield* queue.awaitSend
        const waiting = yield* Effect.fork(queue.awaitSend)
        yield* Effect.yieldNow()
        assert.isNull(waiting.unsafePoll())
        yield* queue.sendPoison("not for the poller")
        yield* Effect.yieldNow()
        assert.isNull(waiting.unsafePoll())
        yield* queue.send("three")
        yield* Fiber.join(waiting)
      })
    )

    test(
      "a send that fails wakes nobody",
      Effect.gen(function* () {
        const queue = yield* TaskQueue
        const waiting = yield* Effect.fork(queue.awaitSend)
        yield* Effect.flip(queue.send("x".repeat(65_537)))
        yield* Effect.yieldNow()
        assert.isNull(waiting.unsafePoll())
        yield* Fiber.interrupt(waiting)
        // The interrupted waiter took no place: the next one is woken.
        yield* queue.send("task")
        yield* queue.awaitSend
      })
    )

    test(
      "shows what was set aside, hides it while somebody has it, and lets it go or forgets it",
      Effect.gen(function* () {
        const queue = yield* TaskQueue
        assert.deepStrictEqual(yield* queue.peekPoison(32), [])
        assert.deepStrictEqual(yield* queue.receivePoison(32, "1 minute"), [])
        yield* Effect.forEach(
          Array.from({ length: 34 }, (_, i) => `set aside ${i}`),
          queue.sendPoison,
          {
            concurrency: 8,
            discard: true
          }
        )
        assert.lengthOf(yield* queue.peekPoison(100), 32)
        const first = yield* queue.receivePoison(32, "1 minute")
        const second = yield* queue.receivePoison(100, "1 minute")
        assert.deepStrictEqual([first.length, second.length], [32, 2])
        assert.strictEqual(new Set([...first, ...second].map(({ id }) => id)).size, 34)
        assert.deepStrictEqual(yield* queue.peekPoison(32), [])
        const [one, other] = second
        if (one === undefined || other === undefined) return assert.fail("there are two")
        yield* queue.completePoison(one)
        yield* queue.releasePoison(other)
        const [peeked, more] = yield* queue.peekPoison(32)
        assert.isUndefined(more)
        assert.deepStrictEqual([peeked?.id, peeked?.body], [other.id, other.body])
        assert.instanceOf(yield* Effect.flip(queue.completePoison(one)), LeaseLost)
        const [again] = yield* queue.receivePoison(1, "1 minute")
        assert.strictEqual(again?.id, other.id)
        assert.strictEqual((yield* queue.stats).poisonDepth, 33)
      })
    )

    test(
      "an existing queue passes the check",
      Effect.gen(function* () {
        yield* (yield* TaskQueue).check
      })
    )
  })
}

const bodies = (messages: ReadonlyArray<ReceivedMessage>) => messages.map((message) => message.body)

const receiveOne = (queue: TaskQueue["Type"]): Effect.Effect<ReceivedMessage, ServiceError> =>
  Effect.map(queue.receive(1, "1 minute"), (messages) => {
    assert.strictEqual(messages.length, 1)
    return messages[0]!
  })
