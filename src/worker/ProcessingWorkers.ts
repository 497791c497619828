import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import * as HashMap from "effect/HashMap"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import * as MonotonicTime from "../concurrency/MonotonicTime.ts"
import { WorkerConfig } from "../config/WorkerConfig.ts"
import { type Control, describePause } from "../domain/Control.ts"
import { Outcome } from "../domain/Outcome.ts"
import * as Spans from "../telemetry/Spans.ts"
import { TaskQueue } from "../queue/TaskQueue.ts"
import * as Attempt from "./Attempt.ts"
import { AttemptGate } from "./AttemptGate.ts"
import { Controls } from "./Controls.ts"
import * as Deadlines from "./Deadlines.ts"
import * as Handoff from "./Handoff.ts"
import { Intake } from "./Intake.ts"
import { type Lease, Leases } from "./Leases.ts"
import * as Metrics from "./Metrics.ts"
import { Progress } from "./Progress.ts"
import { RunningAttempts, type Stop } from "./RunningAttempts.ts"
import { Settlement } from "./Settlement.ts"
import * as Slots from "./Slots.ts"
import { factsOf } from "./TaskSpan.ts"
import { type Supervised, supervise, type WorkerState } from "./Supervisor.ts"

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

/** Every call of the adapters is bounded by itself, repetitions included: a settlement that takes longer hangs. */
const settlementBound = Duration.minutes(2)

/** How long a stop waits for a receive that is under way. */
const lastReceive = Duration.seconds(5)

/** After the grace, where nobody else bounds the stop: for attempts to clean up, and for messages to be given back. */
const reserve = Duration.seconds(15)

const make = Effect.gen(function* () {
  const queue = yield* TaskQueue
  const controls = yield* Controls
  const leases = yield* Leases
  const intake = yield* Intake
  const attempts = yield* Attempt.Attempt
  const gate = yield* AttemptGate
  const running = yield* RunningAttempts
  const settlement = yield* Settlement
  const progress = yield* Progress
  const config = yield* WorkerConfig
  const clock = yield* Effect.clock
  const deadlines = yield* Deadlines.make

  const handoff = Handoff.make<Lease>()
  const slots = Slots.make(config.processingWorkers)
  const attempted = new Set<Attempt.AttemptState>()
  const stops = new Map<Attempt.AttemptState, Stop>()
  let stopping = false
  let drained = false

  // --- What nobody began goes back ---

  const release = (lease: Lease) =>
    settlement.settle(
      lease,
      Attempt.begin(lease.message, "queue-poller"),
      Outcome.Released({ reason: "The worker is stopping." })
    )

  const releaseWaiting = Effect.suspend(() => {
    const waiting: Array<Lease> = []
    for (let lease = handoff.take(); lease !== undefined; lease = handoff.take()) waiting.push(lease)
    return Effect.forEach(waiting, release, { concurrency: 32, discard: true })
  })

  // --- What somebody called off ends ---

  const stopCancelled = ({ cancelled_attempts }: Control) =>
    Effect.forEach(
      stops,
      ([{ owner }, stop]) =>
        owner !== undefined && Object.hasOwn(cancelled_attempts, owner.attempt_id)
          ? stop(Outcome.Cancelled({ reason: "Cancelled while it ran." }))
          : Effect.void,
      { discard: true }
    )

  // --- The poller: never takes what cannot start now ---

  const receive = (max: number) => {
    const receivedAt = MonotonicTime.unsafeNow(clock)
    return Effect.map(queue.receive(max, config.visibilityTimeout), (messages) => {
      for (const message of messages) handoff.give(leases.hold(message, receivedAt))
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
        Effect.ensuring(Effect.sync(() => slots.give(free - count))),
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
      const free = yield* slots.take(Math.min(config.queueMaxMessages, 32))
      const resting = controls.paused("processing", "all")
      if (resting !== undefined) {
        slots.give(free)
        yield* heartbeat.expect(`paused: ${describePause(resting)}`, pausedLook)
        yield* Effect.sleep(pausedLook)
        continue
      }
      yield* heartbeat.expect("receiving", receiveBound)
      const permit = yield* intake.permit
      if (permit._tag === "None") {
        slots.give(free)
        yield* heartbeat.expect("waiting until the worker's own stores answer", permit.wait)
        yield* Effect.sleep(permit.wait)
        continue
      }
      const wanted = permit._tag === "One" ? 1 : free
      slots.give(free - wanted)
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

  const run = (lease: Lease, state: Attempt.AttemptState): Effect.Effect<Outcome> =>
    stopping
      ? Effect.succeed(Outcome.Released({ reason: "The worker is stopping." }))
      : running.watch(
          (watch) => attempts.run(state, watch, lease),
          (stop) => {
            stops.set(state, stop)
            return lease.whenLost((lost) => stop(Outcome.Lost({ reason: lost.message })))
          }
        )

  /** Whatever a settlement waits for, the worker does not wait with it for ever. */
  const settle = (lease: Lease, state: Attempt.AttemptState, outcome: Outcome): Effect.Effect<boolean> =>
    Effect.flatMap(
      Deadlines.waitUntil(
        deadlines,
        MonotonicTime.unsafeNow(clock) + Duration.toMillis(settlementBound),
        settlement.settle(lease, state, outcome)
      ),
      Option.match({
        onSome: Exit.match({ onSuccess: Effect.succeed, onFailure: Effect.failCause }),
        onNone: () => {
          Metrics.add(Metrics.settlementsAbandoned, 1)
          const bound = Duration.format(settlementBound)
          const told = Effect.logError(
            `The outcome ${outcome._tag} could not be written within ${bound}; the message comes back when its lease ends`
          )
          return Effect.as(Effect.zipRight(lease.abandon, told), false)
        }
      })
    )

  /** The worker's fiber works for one message at a time: its annotations are set for each, which is cheaper than to wrap it in them. */
  const handle = Effect.fnUntraced(function* (
    self: Supervised,
    annotations: Annotations,
    lease: Lease,
    state: Attempt.AttemptState
  ) {
    const startedAt = MonotonicTime.unsafeNow(clock)
    yield* self.doing(
      Either.match(state.decoded, {
        onLeft: () => `message ${lease.message.id}`,
        onRight: ({ task }) => `${task.task_id} of ${task.pipeline_id}`
      })
    )
    yield* FiberRef.set(FiberRef.currentLogAnnotations, annotated(annotations, state))
    attempted.add(state)
    const outcome = yield* traced(lease, state, run(lease, state))
    attempted.delete(state)
    stops.delete(state)
    const recorded = yield* settle(lease, state, outcome)
    yield* intake.ended(outcome, recorded)
    Metrics.observe(Metrics.attemptDuration, (MonotonicTime.unsafeNow(clock) - startedAt) / 1_000)
    yield* self.doing("idle")
  })

  const worker = (self: Supervised, id: number) =>
    Effect.flatMap(FiberRef.get(FiberRef.currentLogAnnotations), (annotations) =>
      Effect.forever(
        Effect.uninterruptibleMask((restore) =>
          Effect.flatMap(restore(handoff.ready), () => {
            const lease = handoff.take()
            if (lease === undefined) return Effect.void
            const state = Attempt.begin(lease.message, nameOf(id))
            return Effect.onExit(handle(self, annotations, lease, state), (exit) => {
              gate.leave(state)
              slots.give(1)
              return Exit.isSuccess(exit) ? Effect.void : Effect.ignoreLogged(lease.release(Duration.zero))
            })
          })
        )
      )
    )

  const workers = Array.from({ length: config.processingWorkers }, (_, id) =>
    supervise("processing", id, (self) => worker(self, id))
  )
  yield* Effect.forkScoped(Effect.interruptible(Stream.runForEach(controls.changes, stopCancelled)))
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
    yield* Effect.all([stopTaking, Effect.timeoutOption(Effect.interruptible(running.awaitIdle), grace)], {
      concurrency: "unbounded",
      discard: true
    })
    yield* running.stopAll(Outcome.Released({ reason: "The worker is stopping." }))
    yield* Fiber.interruptAll(fibers)
    // Of a worker that was stopped between its waking and its taking.
    yield* releaseWaiting
  })

  // Who drained us waited as long as there was a point in it.
  yield* Effect.addFinalizer(() =>
    drained
      ? Effect.void
      : drain(Duration.zero).pipe(Effect.disconnect, Effect.timeoutOption(reserve), Effect.interruptible)
  )

  return ProcessingWorkers.of({
    states: Effect.sync(() => workers.map(({ supervised }) => supervised.state())),
    atWorkSince: (millis) => Effect.sync(() => [...attempted].flatMap((state) => Attempt.nodesSince(state, millis))),
    stopTaking,
    drain
  })
})

/** An attempt goes on with the trace that its message brings along. */
const traced = (
  { message }: Lease,
  { decoded }: Attempt.AttemptState,
  attempt: Effect.Effect<Outcome>
): Effect.Effect<Outcome> => {
  const task = Option.getOrUndefined(Either.getRight(decoded))?.task
  return Spans.around(
    "process document",
    {
      kind: "consumer",
      root: true,
      parent: task?.traceparent ?? null,
      attributes: () => ({
        "messaging.message.id": message.id,
        "contentflow.delivery": message.dequeueCount,
        ...(task === undefined ? {} : factsOf(task))
      })
    },
    Effect.tap(attempt, (outcome) => Spans.annotate(() => ({ "contentflow.outcome": outcome._tag })))
  )
}

type Annotations = HashMap.HashMap<string, unknown>

const annotated = (annotations: Annotations, { decoded, message }: Attempt.AttemptState): Annotations =>
  Either.match(decoded, {
    onLeft: () => HashMap.set(annotations, "message_id", message.id),
    onRight: ({ task }) =>
      annotations.pipe(
        HashMap.set<string, unknown>("task_id", task.task_id),
        HashMap.set<string, unknown>("execution_id", task.execution_id),
        HashMap.set<string, unknown>("pipeline_id", task.pipeline_id),
        HashMap.set<string, unknown>("vault_id", task.vault_id)
      )
  })

export const layer: Layer.Layer<
  ProcessingWorkers,
  never,
  | TaskQueue
  | Controls
  | Intake
  | Leases
  | Attempt.Attempt
  | AttemptGate
  | RunningAttempts
  | Settlement
  | Progress
  | WorkerConfig
> = Layer.scoped(ProcessingWorkers, make)
