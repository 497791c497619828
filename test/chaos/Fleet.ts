import { Duration, Effect, Fiber, Option, Ref, Schedule } from "effect"
import { existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from "node:fs"
import { delimiter, join } from "node:path"
import process from "node:process"
import * as WorkerProcess from "../support/WorkerProcess.ts"
import type { Dice } from "./Dice.ts"

/** The worker processes: each is started again when it ends, until the fleet is told to stop. */

export interface FleetOptions {
  readonly folder: string
  readonly dice: Dice
  /** One worker a runtime. */
  readonly runtimes: ReadonlyArray<WorkerProcess.Runtime>
  /** The settings of a life of a worker; `name` is this life's. */
  readonly envOf: (slot: number, name: string) => Readonly<Record<string, string>>
  /** Starts a worker with these settings: as one on Azure where nothing else is said. */
  readonly start?: typeof WorkerProcess.start
  /** How long a worker may take to end after SIGTERM. */
  readonly graceful: Duration.Duration
  /** Whether a service is away, or was a moment ago: a worker may give up its start then. */
  readonly isOutage: () => boolean
  /** Hears the name of a worker that is stopped for a while. */
  readonly stopped: (name: string, duration: Duration.Duration) => void
  /** Hears of every beginning and end. */
  readonly tell: (text: string) => void
  /** Is given all that a worker wrote, when it has ended. */
  readonly keep: (name: string, log: string) => void
}

/** How long a worker may take to be up, on a machine with much to do. */
const startup = Duration.minutes(1)

interface Life {
  readonly name: string
  readonly worker: WorkerProcess.WorkerProcess
  readonly temporary: string
  /** Holds how many milliseconds its wall clock is off. */
  readonly clock: string
  /** It is up: one that only begins has nothing to lose. */
  up: boolean
  /** The signal that we sent it. */
  signal: "SIGKILL" | "SIGTERM" | undefined
  /** It is stopped (SIGSTOP), and will go on. */
  frozen: boolean
}

interface Slot {
  readonly number: number
  readonly runtime: WorkerProcess.Runtime
  life: Life | undefined
}

export const make = (options: FleetOptions) =>
  Effect.gen(function* () {
    const { dice, folder, start = WorkerProcess.start } = options
    const stopping = yield* Ref.make(false)
    const counts = { starts: 0, skewed: 0, killed: 0, killedByDocuments: 0, terminated: 0, frozen: 0, clockSteps: 0 }
    /** What no worker may do: end by itself, ignore SIGTERM, leave files behind. */
    const misses: Array<string> = []
    const slots: ReadonlyArray<Slot> = options.runtimes.map((runtime, number) => ({ number, runtime, life: undefined }))

    const judge = ({ name, signal, temporary, up, worker }: Life, { code, ...ending }: WorkerProcess.Ending) => {
      if (
        ending.signal === "SIGKILL" &&
        signal !== "SIGKILL" &&
        worker.stderr().includes("A document kills its worker:")
      ) {
        counts.killedByDocuments++
        return
      }
      // Before its runtime has loaded it, SIGTERM ends a process by itself: it had taken nothing.
      if (signal === "SIGKILL" || (ending.signal === "SIGTERM" && worker.stdout() === "")) return
      const last = `${worker.stdout().slice(-800)}${worker.stderr().slice(-800)}`
      if (signal === undefined && !up && code === 1 && options.isOutage()) return
      if (signal === undefined) return void misses.push(`${name} ended by itself with ${code}:\n${last}`)
      if (code !== 0) misses.push(`${name} ended with ${code} after SIGTERM:\n${last}`)
      const left = readdirSync(temporary)
      if (left.length > 0) misses.push(`${name} left files in its temporary folder: ${left.join(", ")}`)
    }

    const live = Effect.fnUntraced(function* (slot: Slot) {
      const name = `${slot.runtime.name}-${slot.number}-${++counts.starts}`
      const temporary = join(folder, name)
      mkdirSync(temporary)
      const skew = dice.next() < 0.4 ? dice.between(-60, 60) * 1_000 : 0
      if (skew !== 0) counts.skewed++
      const clock = join(folder, `${name}.clock`)
      writeFileSync(clock, String(skew))
      const env = { ...options.envOf(slot.number, name), TMPDIR: temporary, CHAOS_CLOCK: clock }
      const worker = yield* start(env, { ...slot.runtime, preload })
      const life: Life = { name, worker, temporary, clock, up: false, signal: undefined, frozen: false }
      slot.life = life
      options.tell(`${name} is started${skew === 0 ? "" : `, its clock ${skew / 1_000} s off`}`)
      const up = Effect.sync(() => {
        life.up = true
        options.tell(`${name} is up`)
      })
      yield* Effect.forkScoped(Effect.zipRight(worker.url, up))
      const ending = yield* worker.exit
      slot.life = undefined
      options.tell(`${name} has ended`)
      options.keep(name, worker.stdout() + worker.stderr())
      judge(life, ending)
    }, Effect.scoped)

    const keep = Effect.fnUntraced(function* (slot: Slot) {
      while (!(yield* Ref.get(stopping))) {
        yield* live(slot)
        if (!(yield* Ref.get(stopping))) yield* Effect.sleep(Duration.millis(dice.between(500, 3_000)))
      }
    })
    const fibers = yield* Effect.forEach(slots, (slot) => Effect.forkScoped(keep(slot)))

    const end = Effect.fnUntraced(function* (slot: Slot, signal: "SIGKILL" | "SIGTERM") {
      const { life } = slot
      if (life === undefined || life.signal !== undefined) return false
      life.signal = signal
      options.tell(`${life.name} is sent ${signal}`)
      yield* life.worker.kill(signal)
      if (signal === "SIGKILL") return true
      const ended = yield* Effect.timeoutOption(life.worker.exit, options.graceful)
      if (Option.isNone(ended)) {
        misses.push(`${life.name} still ran ${Duration.format(options.graceful)} after SIGTERM`)
        yield* life.worker.kill("SIGKILL")
      }
      return true
    })

    const endSome = (signal: "SIGKILL" | "SIGTERM") =>
      Effect.suspend(() => {
        const slot = dice.oneOf(slots)
        return slot.life?.up === true && !slot.life.frozen ? end(slot, signal) : Effect.succeed(false)
      })

    /** Whatever interrupts the freeze, the worker goes on. */
    const freeze = Effect.fnUntraced(function* (duration: Duration.Duration) {
      const { life } = dice.oneOf(slots)
      if (life?.up !== true || life.signal !== undefined || slots.some((slot) => slot.life?.frozen === true))
        return false
      life.frozen = true
      counts.frozen++
      options.stopped(life.name, duration)
      options.tell(`${life.name} is stopped for ${Duration.format(duration)}`)
      yield* life.worker.kill("SIGSTOP")
      yield* Effect.sleep(duration).pipe(
        Effect.ensuring(
          Effect.zipRight(
            life.worker.kill("SIGCONT"),
            Effect.sync(() => {
              life.frozen = false
              options.tell(`${life.name} goes on`)
            })
          )
        )
      )
      return true
    })

    const stepClock = (millis: number) =>
      Effect.sync(() => {
        const { life } = dice.oneOf(slots)
        if (life?.up !== true) return
        counts.clockSteps++
        options.tell(`The clock of ${life.name} is set to ${millis / 1_000} s off`)
        // The worker may read it at any moment.
        writeFileSync(`${life.clock}.new`, String(millis))
        renameSync(`${life.clock}.new`, life.clock)
      })

    /** Every slot has a worker that is up. One may have been told to end as the last disturbance: its next life counts. */
    const complete = Effect.sync(() => slots.every(({ life }) => life?.up === true && life.signal === undefined)).pipe(
      Effect.repeat({ until: (every) => every, schedule: Schedule.spaced("200 millis") }),
      Effect.timeoutOption(startup)
    )

    return {
      counts,
      misses,
      /** Waits until every slot has a worker that is up, for a while. */
      complete,
      /** Kills some worker as a machine does that loses power. */
      kill: endSome("SIGKILL").pipe(Effect.tap((done) => Effect.sync(() => (done ? counts.killed++ : 0)))),
      /** Asks some worker to end, and sees that it does. */
      terminate: endSome("SIGTERM").pipe(Effect.tap((done) => Effect.sync(() => (done ? counts.terminated++ : 0)))),
      /** Stops some worker, if none is stopped, and lets it go on after this long. */
      freeze,
      /** Sets the wall clock of some worker to this many milliseconds off. */
      stepClock,
      /** What each worker says of its own liveness, where it is not well. */
      unwell: complete.pipe(
        Effect.zipRight(Effect.forEach(slots, complaint, { concurrency: "unbounded" })),
        Effect.map((all) => all.filter((text) => text !== ""))
      ),
      /** Everybody ends, in an orderly way. */
      stop: Effect.gen(function* () {
        yield* Ref.set(stopping, true)
        yield* Effect.forEach(slots, (slot) => end(slot, "SIGTERM"), { concurrency: "unbounded" })
        yield* Effect.forEach(fibers, (fiber) => Fiber.await(fiber))
      })
    }
  })

export type Fleet = Effect.Effect.Success<ReturnType<typeof make>>

/** What the worker of a slot says of its own liveness; nothing, when it is well. */
const complaint = ({ life, number }: Slot): Effect.Effect<string> =>
  life === undefined
    ? Effect.succeed(`The worker of slot ${number} is not running`)
    : life.worker.url.pipe(
        Effect.flatMap((url) => Effect.tryPromise(() => fetch(`${url}/health/live`))),
        Effect.flatMap((response) =>
          response.status === 200
            ? Effect.succeed("")
            : Effect.map(
                Effect.tryPromise(() => response.text()),
                (text) => `${life.name}: ${text.slice(0, 500)}`
              )
        ),
        Effect.timeoutTo({
          duration: "10 seconds",
          onSuccess: (text) => text,
          onTimeout: () => `${life.name}: no answer`
        }),
        Effect.catchAll((error) => Effect.succeed(`${life.name}: ${error.message}`))
      )

/** What a worker loads before itself. */
export const preload = join(WorkerProcess.root, "test/chaos/worker/Preload.mjs")

/** Node and, where there is one, Deno: on the PATH or as the gate installs it. */
export const runtimes = (): {
  readonly node: WorkerProcess.Runtime
  readonly deno: WorkerProcess.Runtime | undefined
} => {
  const found = (name: string) =>
    [...(process.env["PATH"] ?? "").split(delimiter), join(WorkerProcess.root, ".ci/deno/node_modules/deno")]
      .map((folder) => join(folder, name))
      .find((path) => existsSync(path))
  const deno = found("deno")
  return {
    node: { name: "Node", command: found("node") ?? process.execPath },
    deno: deno === undefined ? undefined : { name: "Deno", command: deno }
  }
}
