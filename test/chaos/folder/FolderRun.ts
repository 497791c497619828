import { Duration, Effect, Schedule } from "effect"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import * as WorkerProcess from "../../support/WorkerProcess.ts"
import * as Checker from "../Checker.ts"
import * as Dice from "../Dice.ts"
import * as Fleet from "../Fleet.ts"
import type { Trespass } from "../Traffic.ts"
import * as Uploads from "../Uploads.ts"
import * as World from "../World.ts"
import * as DiskFaults from "./DiskFaults.ts"
import * as FolderDisturbances from "./FolderDisturbances.ts"
import * as FolderReport from "./FolderReport.ts"
import * as FolderWorld from "./FolderWorld.ts"

/** How long a message is a worker's before it must be renewed. */
const visibilitySeconds = 15
const graceSeconds = 10
/** Milliseconds beyond its minutes that a run waits for what is not done, and what a fleet that makes progress has longer. */
const patience = 180_000
const progressMillis = 300_000

export interface Options {
  readonly seed: number
  readonly minutes: number
  readonly tasks: number
  readonly logs: string | undefined
}

/** A fleet of processes that serve one folder, under what disks, people and other programs do to it. True when nothing is missing, twice or left. */
export const run = ({ logs, minutes, seed, tasks }: Options) =>
  Effect.gen(function* () {
    const parent = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "contentflow-chaos-"))),
      (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
    )
    if (logs !== undefined) mkdirSync(logs, { recursive: true })
    const startedAt = Date.now()
    const say = (text: string) => print(`${((Date.now() - startedAt) / 1_000).toFixed(0).padStart(5)} s  ${text}`)

    const { folder: place, isOwn } = yield* DiskFaults.disk(parent)
    const folder = join(place, "project")
    FolderWorld.prepare(folder)
    const disk = DiskFaults.make(folder, isOwn)
    if (!isOwn) say("This user can't mount a small disk: it is never full")

    const { deno, node } = Fleet.runtimes()
    if (deno === undefined) say("There is no Deno on the PATH or in .ci/deno: all workers run on Node")
    let lastFault = 0
    let isFaulty = false
    const fleet = yield* Fleet.make({
      folder: parent,
      dice: Dice.make(seed, "fleet"),
      runtimes: [node, deno ?? node, node],
      // A stop that meets a full disk tries for a while to give its messages back.
      graceful: Duration.seconds(graceSeconds + 40),
      isOutage: () => isFaulty || Date.now() - lastFault < startMillis,
      stopped: () => undefined,
      tell: say,
      keep: (name, log) => {
        if (logs !== undefined) writeFileSync(join(logs, `${name}.log`), log)
      },
      envOf: (_, name) => ({ ...settings, WORKER_NAME: name }),
      start: (env, runtime) => WorkerProcess.run(["serve", folder], env, runtime)
    })
    yield* fleet.complete
    const world = yield* FolderWorld.open(folder)
    const disturbances = FolderDisturbances.make({
      world,
      fleet,
      disk,
      dice: Dice.make(seed, "disturbances"),
      visibilitySeconds,
      faulty: (is) => {
        isFaulty = is
        lastFault = Date.now()
      },
      tell: say
    })

    const total = Duration.toMillis(Duration.minutes(minutes))
    const uploading = total * 0.55
    const disturbing = total * 0.7
    const deeds = Uploads.make({
      dice: Dice.make(seed, "uploads"),
      tasks,
      millis: uploading,
      killers: minutes < 5 ? 1 : 3,
      trials: new Set(["slow", "deletions", "killers"])
    })
    const drafts: Array<World.Draft> = []
    const removed = new Set<string>()
    const regressions: Array<Trespass> = []
    yield* Effect.forkScoped(watchOutputs(folder, regressions))
    yield* Effect.forkScoped(disturbances.run.pipe(Effect.timeoutOption(disturbing)))
    yield* Effect.forkScoped(Effect.delay(disturbances.surely, total * 0.1))
    yield* Effect.forkScoped(
      Effect.forever(
        Effect.delay(
          Effect.sync(() => {
            const counts = world.rows(
              "SELECT status, count(*) AS n FROM vault_executions GROUP BY status ORDER BY status"
            )
            const [depth] = world.rows("SELECT count(*) AS n FROM messages")
            const states = counts.map(({ n, status }) => `${String(n)} ${String(status)}`).join(", ")
            say(
              `${drafts.length} versions, executions: ${states || "none"}; ${String(depth?.["n"])} messages in the queue`
            )
          }),
          "20 seconds"
        )
      )
    )
    /** People try again when the disk takes nothing. */
    const insistently = (act: () => boolean) =>
      Effect.repeat(Effect.sync(act), { until: (done) => done, schedule: Schedule.spaced("300 millis") })
    for (const { at, does, draft } of deeds) {
      yield* Effect.sleep(Math.max(0, startedAt + uploading * at - Date.now()))
      if (does !== "remove") {
        yield* insistently(() => FolderWorld.put(folder, draft))
        drafts.push(draft)
        removed.delete(World.keyOf(draft))
      }
      if (does !== "bring") {
        yield* insistently(() => FolderWorld.remove(folder, draft))
        removed.add(World.keyOf(draft))
      }
    }
    yield* Effect.sleep(Math.max(0, startedAt + disturbing - Date.now()))
    say("All is calm; the fleet works off what is left")
    yield* settled(world, drafts, removed, startedAt + total + patience)
    const unwell = yield* fleet.unwell
    say("The fleet ends")
    yield* fleet.stop

    const remains = FolderWorld.gather(world)
    const versions = FolderWorld.versionsOf(world, drafts, remains.executions)
    const [integrity] = world.rows("PRAGMA integrity_check")
    const findings: ReadonlyArray<Checker.Finding> = [
      ...Checker.check(
        {
          versions,
          removed,
          malformed: disturbances.malformed,
          deletedVaults: new Set(),
          maxRetries: 3,
          edits: disturbances.edited,
          outages: [],
          concerned: new Set(),
          traffic: { ...unseen, regressions }
        },
        remains
      ).filter(({ checked }) => checked > 0),
      {
        rule: "the database is whole",
        checked: 1,
        misses: integrity?.["integrity_check"] === "ok" ? [] : [JSON.stringify(integrity)]
      },
      {
        rule: "every worker ended in an orderly way, and left no file",
        checked: fleet.counts.starts,
        misses: fleet.misses
      },
      { rule: "every worker was well when all was calm", checked: 3, misses: unwell }
    ]
    print(
      FolderReport.of({
        seed,
        minutes,
        findings,
        remains,
        versions,
        removed,
        fleet: fleet.counts,
        counts: disturbances.counts,
        malformed: disturbances.malformed.length,
        edited: disturbances.edited.length
      })
    )
    return findings.every(({ misses }) => misses.length === 0)
  })

/** A start that began while the disk was at fault may give up within this time. */
const startMillis = 60_000

const settings = {
  NUM_PROCESSING_WORKERS: "4",
  NUM_SOURCE_WORKERS: "1",
  QUEUE_VISIBILITY_TIMEOUT_SECONDS: String(visibilitySeconds),
  LOCK_TTL_SECONDS: "12",
  CRAWL_OVERLAP_SECONDS: "30",
  TASK_TIMEOUT_SECONDS: "60",
  SHUTDOWN_GRACE_SECONDS: String(graceSeconds),
  SCHEDULER_SLEEP_INTERVAL_SECONDS: "1",
  QUEUE_POLL_INTERVAL_SECONDS: "1",
  LOG_LEVEL: "INFO",
  LOG_FORMAT: "json",
  API_HOST: "127.0.0.1",
  API_PORT: "0"
}

/** What only proxies between workers and services see. */
const unseen = {
  receives: new Map<string, number>(),
  starts: new Map<string, number>(),
  storyOf: () => [],
  messagesOf: new Map<string, Set<string>>(),
  mostRetries: new Map<string, number>(),
  trespasses: []
}

/** The number of the version that a text was made of. */
const numberIn = (text: string): number => Number(/marker-(\d+)-/.exec(text)?.[1] ?? -1)

/** Notes each output that goes back to an older version. */
const watchOutputs = (folder: string, regressions: Array<Trespass>) => {
  const seen = new Map<string, { readonly modified: number; readonly number: number }>()
  const look = (path: string) => {
    try {
      const modified = statSync(path).mtimeMs
      const before = seen.get(path)
      if (before?.modified === modified) return
      const number = numberIn(readFileSync(path, "utf8"))
      if (before !== undefined && number < before.number) {
        const because = `version ${number} over ${before.number}`
        regressions.push({
          worker: "A worker",
          document: FolderWorld.keyOfOutput(folder, path),
          executions: [],
          because
        })
      }
      seen.set(path, { modified, number })
    } catch {
      // It is replaced just now: the next look sees it.
    }
  }
  return Effect.forever(
    Effect.delay(
      Effect.sync(() => FolderWorld.outputsIn(folder).forEach(look)),
      "2 seconds"
    )
  )
}

/** Waits until every document has its ended execution, the queue is empty and no lock is left; longer while the queue gets shorter. */
const settled = (
  world: FolderWorld.FolderWorld,
  drafts: ReadonlyArray<World.Draft>,
  removed: ReadonlySet<string>,
  deadline: number
) =>
  Effect.gen(function* () {
    let shortest = Number.POSITIVE_INFINITY
    let until = deadline
    while (Date.now() < until) {
      yield* Effect.sleep("2 seconds")
      const remains = FolderWorld.gather(world)
      if (remains.messages < shortest) {
        shortest = remains.messages
        until = Math.max(until, Date.now() + progressMillis)
      }
      if (remains.messages > 0 || remains.locks.length > 0) continue
      const ended = new Set(
        remains.executions.filter(({ status }) => status === "completed" || status === "failed").map(({ id }) => id)
      )
      const newest = new Map(
        FolderWorld.versionsOf(world, drafts, remains.executions).map((version) => [World.keyOf(version), version])
      )
      const isDone = [...newest].every(
        ([key, { executions }]) => removed.has(key) || [...executions.values()].every((id) => ended.has(id))
      )
      if (isDone && ended.size === remains.executions.length) return
    }
  })

const print = (line: string): void => void process.stdout.write(`${line}\n`)
