import { Duration, Effect } from "effect"
import * as Timestamp from "../../src/domain/Timestamp.ts"
import { lockId } from "../../src/store/CrawlLock.ts"
import { PipelineId } from "../../src/domain/Ids.ts"
import type { Dice } from "./Dice.ts"
import type { Fleet } from "./Fleet.ts"
import type { ForeignEdits } from "./ForeignEdits.ts"
import type { ForeignReaders } from "./ForeignReaders.ts"
import type { Traffic } from "./Traffic.ts"
import type { Trial } from "./Trials.ts"
import * as World from "./World.ts"

export interface Scene {
  readonly world: World.World
  readonly traffic: Traffic
  readonly fleet: Fleet
  readonly readers: ForeignReaders
  readonly edits: ForeignEdits
  readonly dice: Dice
  readonly trials: ReadonlySet<Trial>
  /** How long a message is a worker's before it must be renewed. */
  readonly visibilitySeconds: number
  /** Away for some milliseconds. */
  readonly restart: (emulator: "storage" | "cosmos", away: number) => Effect.Effect<void>
  readonly tell: (text: string) => void
}

/** A message that is no task, and what the poison queue must hold because of it. */
export interface Malformed {
  readonly token: string
  readonly text: string
}

/** What bystanders and bad luck do to the fleet, besides the faults of single calls. */
export const make = (scene: Scene) => {
  const { dice, edits, fleet, readers, restart, tell, traffic, trials, visibilitySeconds, world } = scene
  const malformed: Array<Malformed> = []
  const counts = { stolenLeases: 0, stolenLocks: 0, restarts: 0, duplicatesSent: 0, edits: 0 }
  const crawled = Object.values(World.streams).filter((stream) => stream !== World.streams.sent)

  /** Somebody else changes a message that a worker holds: its receipt is worth nothing from then on. */
  const stealLease = Effect.gen(function* () {
    const held = traffic.held(Date.now())
    if (held.length === 0) return
    const { id, receipt } = dice.oneOf(held)
    // The receipt may be old by now: then there is nothing to steal.
    const stolen = yield* Effect.option(
      Effect.tryPromise(() => world.tasks.updateMessage(id, receipt, undefined, dice.between(0, 5)))
    )
    if (stolen._tag === "None") return
    traffic.stolen(id, Date.now())
    counts.stolenLeases++
  })

  /** Somebody takes a pipeline's lock by force, and dies with it. */
  const stealLock = Effect.suspend(() => {
    const { name, vaults } = dice.oneOf(crawled)
    const now = Date.now()
    counts.stolenLocks++
    return World.call(() =>
      world.documents.locks.items.upsert({
        id: lockId(PipelineId.make(name)),
        pipeline_id: name,
        vault_id: vaults[0],
        worker_id: "thief",
        instance: `thief/${now}`,
        locked_at: Timestamp.format(now),
        expires_at: Timestamp.format(now + dice.between(1, 8) * 1_000),
        ttl: 10
      })
    )
  })

  const duplicate = Effect.suspend(() => {
    const known = [...traffic.messages.values()].filter(({ executionId }) => executionId?.startsWith("exec_") === true)
    if (known.length === 0) return Effect.void
    counts.duplicatesSent++
    const { text } = dice.oneOf(known)
    return World.call(() => world.tasks.sendMessage(text))
  })

  const sendMalformed = Effect.suspend(() => {
    const token = `malformed-${malformed.length}-`
    const text = dice.oneOf([
      `no JSON ${token}`,
      Buffer.from(`{"broken": "${token}"`).toString("base64"),
      JSON.stringify({ task_type: "unheard_of", payload: { token } }),
      JSON.stringify({ task_type: "content_processing", payload: { task_id: token, pipeline_id: 7 } }),
      `${"[".repeat(500)}"${token}"${"]".repeat(500)}`,
      JSON.stringify({ token, content: "x".repeat(60_000) })
    ])
    malformed.push({ token: text.includes(token) ? token : text, text })
    return World.call(() => world.tasks.sendMessage(text))
  })

  const edit = Effect.suspend(() => World.storePipeline(world.documents.pipelines, dice.oneOf(crawled), ++counts.edits))

  const restartOne = Effect.suspend(() => {
    counts.restarts++
    const emulator = dice.oneOf(["storage", "cosmos"] as const)
    tell(`The ${emulator} emulator is restarted`)
    return Effect.tap(restart(emulator, dice.between(300, 4_000)), () =>
      Effect.sync(() => tell(`The ${emulator} emulator is back`))
    )
  })

  // What takes its time is forked, and the next disturbance comes meanwhile.
  const terminate = Effect.fork(fleet.terminate)
  const freeze = Effect.suspend(() =>
    Effect.fork(fleet.freeze(Duration.seconds(visibilitySeconds + dice.between(3, visibilitySeconds))))
  )

  const stepClock = Effect.suspend(() => fleet.stepClock(dice.between(-10 * 60, 10 * 60) * 1_000))

  const only = (trial: Trial, weight: number) => (trials.has(trial) ? weight : 0)
  const all: ReadonlyArray<readonly [weight: number, Effect.Effect<unknown>]> = [
    [only("zombies", 4), freeze],
    [only("clocks", 3), stepClock],
    [only("readers", 8), readers.read],
    [only("edits", 12), edits.edit],
    [2, fleet.kill],
    [2, terminate],
    [6, stealLease],
    [4, stealLock],
    [2, restartOne],
    [8, duplicate],
    [4, sendMalformed],
    [4, edit]
  ]
  const bag = all.flatMap(([weight, disturbance]) => Array.from({ length: weight }, () => disturbance))

  return {
    counts,
    malformed,
    /** One after the other, for ever. */
    run: Effect.forever(
      Effect.suspend(() =>
        Effect.delay(
          Effect.suspend(() => dice.oneOf(bag)),
          Duration.millis(dice.between(300, 3_000))
        )
      )
    )
  }
}

export type Disturbances = ReturnType<typeof make>
