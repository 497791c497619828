import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Random from "effect/Random"
import * as MonotonicTime from "../../concurrency/MonotonicTime.ts"
import { WorkerConfig } from "../../config/WorkerConfig.ts"
import { describePause } from "../../domain/Control.ts"
import { Outcome } from "../../domain/Outcome.ts"
import { TaskQueue } from "../../queue/TaskQueue.ts"
import { Controls } from "../Controls.ts"
import * as RendezvousQueue from "../../concurrency/RendezvousQueue.ts"
import { Intake } from "./Intake.ts"
import { type Lease, Leases } from "./Leases.ts"
import * as Metrics from "../Metrics.ts"
import { Progress } from "../loops/Progress.ts"
import * as FreeWorkers from "./FreeWorkers.ts"
import { type Supervised, supervise, type WorkerState } from "../loops/Supervisor.ts"
import type { AttemptFacts } from "./AttemptFacts.ts"
import { AttemptSupervisor } from "./AttemptSupervisor.ts"
import { Settlement } from "./Settlement.ts"
import { TaskLife, type TaskWorker } from "./TaskLife.ts"

/** The name that executions carry, as the original writes it. */
const nameOf = (id: number): string => `ContentProcessingWorker-${id}`

/** The processing side of the engine: one poller, and as many workers as are configured. */
export class ProcessingWorkers extends Context.Tag("contentflow-worker/worker/ProcessingWorkers")<
  ProcessingWorkers,
  {
    readonly states: Effect.Effect<ReadonlyArray<WorkerState>>
    /** The nodes of running attempts that worked at some time since then (epoch milliseconds), each with its task. */
    readonly atWorkSince: (millis: number) => Effect.Effect<ReadonlyArray<string>>
    /** Takes nothing more from the queue, and lets go at once what no worker has begun. */
    readonly stopTaking: Effect.Effect<void>
    /** Waits for the running attempts, at most `grace`; then stops them and lets their messages go. */
    readonly drain: (grace: Duration.Duration) => Effect.Effect<void>
  }
>() {}

const firstWait = 100

/** How often the poller looks whether it may go on. */
const pausedLook = Duration.seconds(1)

/** A receive that takes longer is no progress. The queue's adapter cuts it somewhat later, which heals it. */
const receiveBound = Duration.seconds(10)

/** How long a stop waits for a receive that is under way. */
const lastReceive = Duration.seconds(5)

/** Time after the grace, where nothing else bounds the stop: for attempts to clean up, and for messages to be given back. */
export const reserve = Duration.seconds(15)

const make = Effect.gen(function* () {
  const queue = yield* TaskQueue
  const controls = yield* Controls
  const leases = yield* Leases
  const intake = yield* Intake
  const tasks = yield* TaskLife
  const attempts = yield* AttemptSupervisor
  const settlement = yield* Settlement
  const progress = yield* Progress
  const config = yield* WorkerConfig
  const clock = yield* Effect.clock

  const waiting = RendezvousQueue.make<Lease>()
  const freeWorkers = FreeWorkers.make(config.processingWorkers)
  let stopping = false
  let drained = false

  const releaseWaiting = Effect.suspend(() => {
    const leases: Array<Lease> = []
    for (let lease = waiting.take(); lease !== undefined; lease = waiting.take()) leases.push(lease)
    return Effect.forEach(leases, settlement.giveBack, { concurrency: 32, discard: true })
  })

  // --- The poller: never takes what cannot start now ---

  const receive = (max: number) => {
    const receivedAt = MonotonicTime.unsafeNow(clock)
    return Effect.map(queue.receive(max, config.visibilityTimeout), (messages) => {
      for (const message of messages) waiting.give(leases.hold(message, receivedAt))
      Metrics.add(Metrics.received, messages.length)
      return messages.length
    })
  }

  /** Gives back the places that got no message, however the receive ends. A stop waits for it: the service may have handed out messages. */
  const receiveInto = (free: number) =>
    Effect.suspend(() => {
      let count = 0
      return receive(free).pipe(
        Effect.tap((received) => {
          count = received
        }),
        Effect.catchAll((error) =>
          Effect.zipRight(
            Metric.increment(Metrics.receiveErrors),
            Effect.as(Effect.logWarning(`Receiving from the queue failed: ${error.message}`), 0)
          )
        ),
        Effect.ensuring(Effect.sync(() => freeWorkers.give(free - count))),
        Effect.zipLeft(Effect.suspend(() => (stopping ? releaseWaiting : Effect.void))),
        Effect.uninterruptible
      )
    })

  const poll = Effect.gen(function* () {
    const heartbeat = yield* progress.register("queue poller")
    // What was paused before this process began is not taken up by it.
    yield* controls.ready
    let wait = firstWait
    while (true) {
      yield* heartbeat.idle("waiting for a free worker")
      const free = yield* freeWorkers.take(Math.min(config.queueMaxMessages, 32))
      const resting = controls.paused("processing", "all")
      if (resting !== undefined) {
        freeWorkers.give(free)
        yield* heartbeat.expect(`paused: ${describePause(resting)}`, pausedLook)
        yield* Effect.sleep(pausedLook)
        continue
      }
      yield* heartbeat.expect("receiving", receiveBound)
      const permit = yield* intake.permit
      if (permit._tag === "None") {
        freeWorkers.give(free)
        yield* heartbeat.expect("waiting until the worker's own stores answer", permit.wait)
        yield* Effect.sleep(permit.wait)
        continue
      }
      const wanted = permit._tag === "One" ? 1 : free
      freeWorkers.give(free - wanted)
      const count = yield* receiveInto(wanted)
      if (count === 0) yield* intake.nothingTaken
      if (count > 0) {
        wait = firstWait
        continue
      }
      const jitter = yield* Random.nextRange(0.5, 1)
      const pause = Duration.millis(wait * jitter)
      yield* heartbeat.expect("waiting for messages", pause)
      const woken = yield* Effect.raceFirst(Effect.as(queue.awaitSend, true), Effect.as(Effect.sleep(pause), false))
      wait = woken ? firstWait : Math.min(wait * 2, Duration.toMillis(config.queuePollInterval))
    }
  })

  // --- A worker: one message at a time, from its lease to its settlement ---

  const worker = (self: Supervised, id: number) =>
    Effect.flatMap(FiberRef.get(FiberRef.currentLogAnnotations), (annotations) => {
      const taskWorker: TaskWorker = { name: nameOf(id), annotations, doing: self.doing }
      return Effect.forever(
        Effect.uninterruptibleMask((restore) =>
          Effect.flatMap(restore(waiting.ready), () => {
            const lease = waiting.take()
            if (lease === undefined) return Effect.void
            const life = stopping ? settlement.giveBack(lease) : tasks.live(lease, taskWorker)
            return Effect.onExit(life, (exit) => {
              freeWorkers.give(1)
              return Exit.isSuccess(exit) ? Effect.void : Effect.ignoreLogged(lease.release(Duration.zero))
            })
          })
        )
      )
    })

  const workers = Array.from({ length: config.processingWorkers }, (_, id) =>
    supervise("processing", id, (self) => worker(self, id))
  )
  const fibers = yield* Effect.forEach(workers, ({ run }) => Effect.forkDaemon(Effect.interruptible(run)))
  const pollers =
    config.processingWorkers === 0
      ? []
      : [yield* Effect.forkDaemon(Effect.interruptible(supervise("processing", -1, () => poll, "queue-poller").run))]

  const stopTaking = Effect.gen(function* () {
    if (stopping) return
    stopping = true
    // A receive that hangs is left behind; what it may still bring is let go when it comes.
    yield* Fiber.interruptAll(pollers).pipe(Effect.disconnect, Effect.timeoutOption(lastReceive), Effect.interruptible)
    yield* progress.unregister("queue poller")
    yield* releaseWaiting
  })

  const drain = Effect.fnUntraced(function* (grace: Duration.Duration) {
    drained = true
    yield* Effect.all([stopTaking, Effect.timeoutOption(Effect.interruptible(attempts.awaitIdle), grace)], {
      concurrency: "unbounded",
      discard: true
    })
    yield* attempts.stopAll(Outcome.Released({ reason: "The worker is stopping." }))
    yield* Fiber.interruptAll(fibers)
    // A worker interrupted between `ready` and `take` leaves its lease behind.
    yield* releaseWaiting
  })

  // After a drain there is nothing left to wait for.
  yield* Effect.addFinalizer(() =>
    drained
      ? Effect.void
      : drain(Duration.zero).pipe(Effect.disconnect, Effect.timeoutOption(reserve), Effect.interruptible)
  )

  return ProcessingWorkers.of({
    states: Effect.sync(() => workers.map(({ supervised }) => supervised.state())),
    atWorkSince: (millis) =>
      Effect.map(attempts.running, (running) => running.flatMap((facts) => nodesSince(facts, millis))),
    stopTaking,
    drain
  })
})

/** What of its pipeline worked at some time since then (epoch milliseconds), for people. */
const nodesSince = ({ decoded, look }: AttemptFacts, millis: number): ReadonlyArray<string> =>
  look()
    .filter(({ endedAt, status }) => status !== "skipped" && endedAt >= millis)
    .map((node) => `${node.executorId} (${node.type}) of ${decoded.task.task_id}`)

export const layer: Layer.Layer<
  ProcessingWorkers,
  never,
  TaskQueue | Controls | Intake | Leases | TaskLife | AttemptSupervisor | Settlement | Progress | WorkerConfig
> = Layer.scoped(ProcessingWorkers, make)
