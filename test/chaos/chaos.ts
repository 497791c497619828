import { Array as Arr, Duration, Effect, Fiber, Logger, LogLevel, Schedule } from "effect"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { parseArgs } from "node:util"
import * as Emulators from "../../src/cli/demo/Emulators.ts"
import { containers } from "../bench/Emulation.ts"
import * as FaultProxy from "../../src/testing/FaultProxy.ts"
import type { Service } from "../support/ServiceAnswers.ts"
import * as Checker from "./Checker.ts"
import * as Dice from "./Dice.ts"
import * as Disturbances from "./Disturbances.ts"
import * as EmulatorProcess from "./EmulatorProcess.ts"
import * as Faults from "./Faults.ts"
import * as Fleet from "./Fleet.ts"
import * as FolderRun from "./folder/FolderRun.ts"
import * as ForeignEdits from "./ForeignEdits.ts"
import * as ForeignReaders from "./ForeignReaders.ts"
import * as Outages from "./Outages.ts"
import * as PaidCalls from "./PaidCalls.ts"
import * as Report from "./Report.ts"
import * as Traffic from "./Traffic.ts"
import * as Trials from "./Trials.ts"
import * as Uploads from "./Uploads.ts"
import * as World from "./World.ts"

/**
 * A fleet of worker processes under every fault that a bad day brings, and an account of every document and message at the end. Arguments:
 * `--seed N --minutes M --tasks N --without TRIAL,TRIAL`. Exits with 1 when anything is missing, twice, or left over. `--logs DIR` keeps what the workers logged. `--embedded` lets the fleet
 * serve one folder instead, under what disks do to it.
 */

/** How long a message is a worker's before it must be renewed. */
const visibilitySeconds = 15
const graceSeconds = 10
/** Milliseconds beyond its minutes that a run waits for what is not done. */
const patience = 180_000

interface Options {
  readonly seed: number
  readonly minutes: number
  readonly tasks: number
  readonly logs: string | undefined
  readonly trials: ReadonlySet<Trials.Trial>
}

const run = ({ logs, minutes, seed, tasks, trials }: Options) =>
  Effect.gen(function* () {
    const folder = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "contentflow-chaos-"))),
      (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
    )
    if (logs !== undefined) mkdirSync(logs, { recursive: true })
    const startedAt = Date.now()
    const say = (text: string) => print(`${((Date.now() - startedAt) / 1_000).toFixed(0).padStart(5)} s  ${text}`)

    const emulators = yield* EmulatorProcess.start(folder)
    const world = World.open(emulators.addresses)
    yield* World.prepare(world)
    say(`The emulators listen at ${emulators.addresses.storage.queueUrl} and ${emulators.addresses.cosmosEndpoint}`)

    const traffic = Traffic.make({
      queue: World.queueName,
      outputs: World.outputs,
      documentOf: World.documentOf,
      executions: containers.executions,
      noticeMillis: (visibilitySeconds / 3 + 5) * 1_000
    })
    const paid = PaidCalls.make(`/${keptAnswers}/`)
    const faults = Faults.make(Dice.make(seed, "faults"), (visibilitySeconds + 5) * 1_000)

    const { deno, node } = Fleet.runtimes()
    if (deno === undefined) say("There is no Deno on the PATH or in .ci/deno: all workers run on Node")
    const runtimes = [node, deno ?? node, node]

    const total = Duration.toMillis(Duration.minutes(minutes))
    const uploading = total * 0.55
    const disturbing = total * 0.7
    // Three of ten minutes are a minute or two each; a short run has a short one.
    const outages = Outages.make({
      dice: Dice.make(seed, "outages"),
      workers: runtimes.length,
      count: minutes < 5 ? 1 : 3,
      millis: [total * 0.12, total * 0.18],
      tell: say
    })

    /** A door of a worker to a service; `life` tells who uses it now. */
    const door = (service: Service, target: string, slot: number, life: () => string) =>
      FaultProxy.make({
        target: () => target,
        fault: (call) => outages.fault(service, slot, call) ?? faults.fault(service, call),
        arrived: (call) => {
          traffic.arrived(life(), call)
          if (service === "blob") paid.arrived(life(), call)
        },
        answered: (exchange) => {
          traffic.answered(life(), exchange)
          if (service === "blob") paid.done(exchange)
        }
      })
    const modelDoor = (life: () => string) =>
      FaultProxy.make({
        target: () => emulators.addresses.models,
        fault: (call) => faults.fault("model", call),
        // What is answered on the way costs nothing.
        forwarded: (call) => paid.asked(life(), call),
        answered: paid.answered
      })
    const doorsOf = (slot: number, life: () => string) =>
      Effect.all({
        queue: door("queue", originOf(emulators.addresses.storage.queueUrl), slot, life),
        blob: door("blob", originOf(emulators.addresses.storage.blobUrl), slot, life),
        cosmos: door("cosmos", emulators.addresses.cosmosEndpoint, slot, life),
        models: modelDoor(life)
      })

    const lives = runtimes.map(() => "")
    const doors = yield* Effect.forEach(runtimes, (_, slot) => doorsOf(slot, () => lives[slot] ?? ""))
    const fleet = yield* Fleet.make({
      folder,
      dice: Dice.make(seed, "fleet"),
      runtimes,
      graceful: Duration.seconds(graceSeconds + 20),
      isOutage: outages.isRecent,
      stopped: (name, duration) => {
        traffic.stopped.add(name)
        paid.stopped(name, Duration.toMillis(duration))
      },
      tell: say,
      keep: (name, log) => {
        paid.ended(name)
        if (logs !== undefined) writeFileSync(join(logs, `${name}.log`), log)
      },
      envOf: (slot, name) => {
        lives[slot] = name
        const { blob, cosmos, models, queue } = doors[slot]!
        return {
          ...settings,
          ...addressesOf(queue, blob),
          COSMOS_DB_ENDPOINT: cosmos,
          WORKER_NAME: name,
          CHAOS_MODELS: models
        }
      }
    })

    // Bystanders work only while the emulators are there: what they do must have happened once.
    const present = Effect.unsafeMakeSemaphore(1)
    const readers = ForeignReaders.make(world, Dice.make(seed, "readers"))
    const edits = ForeignEdits.make(world, traffic, Dice.make(seed, "edits"))
    const disturbances = Disturbances.make({
      world,
      traffic,
      fleet,
      readers,
      edits,
      trials,
      visibilitySeconds,
      dice: Dice.make(seed, "disturbances"),
      tell: say,
      restart: (emulator, away) => present.withPermits(1)(emulators.restart(emulator, away))
    })

    const versions: Array<World.Version> = []
    const note = (version: World.Version) => {
      versions.push(version)
      for (const execution of version.executions.values()) {
        const key = World.keyOf(version)
        traffic.executionsOf.set(key, (traffic.executionsOf.get(key) ?? new Set<string>()).add(execution))
      }
    }
    const removed = new Set<string>()
    const deletedVaults = new Set<string>()

    const deeds = Uploads.make({
      dice: Dice.make(seed, "uploads"),
      tasks,
      millis: uploading,
      killers: minutes < 5 ? 1 : 3,
      trials
    })
    yield* Effect.forkScoped(disturbances.run.pipe(Effect.timeoutOption(disturbing)))
    if (trials.has("outages")) yield* Effect.forkScoped(outages.run.pipe(Effect.timeoutOption(disturbing)))
    yield* Effect.forkScoped(
      Effect.gen(function* () {
        const { paused } = World.streams
        const [vault] = paused.vaults
        yield* Effect.sleep(total * 0.15)
        yield* World.storeVault(world.documents.vaults, vault, paused, false)
        say(`The vault ${vault} is disabled`)
        yield* Effect.sleep(total * 0.25)
        yield* World.storeVault(world.documents.vaults, vault, paused, true)
        say(`The vault ${vault} is enabled again`)
      })
    )
    yield* Effect.forkScoped(
      Effect.gen(function* () {
        const [vault] = World.streams.doomed.vaults
        yield* Effect.sleep(total * 0.35)
        deletedVaults.add(vault)
        yield* present.withPermits(1)(World.deleteVault(world, vault))
        say(`The vault ${vault} is deleted, with its executions and checkpoints`)
      })
    )
    yield* Effect.forkScoped(
      Effect.forever(
        Effect.gen(function* () {
          yield* Effect.sleep("20 seconds")
          const { approximateMessagesCount } = yield* World.call(() => world.tasks.getProperties())
          const { counts, starts } = traffic
          say(
            `${versions.length} versions uploaded, ${starts.size} executions begun, ${counts.outputs} outputs written, ${approximateMessagesCount ?? 0} messages in the queue, ${counts.calls} calls`
          )
        })
      )
    )
    const perform = Effect.fnUntraced(function* ({ act }: Uploads.Deed) {
      for (const happened of yield* present.withPermits(1)(act(world))) {
        if (happened._tag === "Removed") removed.add(happened.document)
        else {
          removed.delete(World.keyOf(happened.version))
          note(happened.version)
        }
      }
    })
    const performAll = Effect.fnUntraced(function* (deeds: ReadonlyArray<Uploads.Deed>) {
      let delay = 0
      for (const deed of deeds) {
        const due = startedAt + uploading * deed.at + delay
        yield* Effect.sleep(Math.max(0, due - Date.now()))
        if (deed.waitsFor !== undefined) {
          yield* written(traffic, deed.waitsFor, Math.max(Date.now(), startedAt + disturbing) + outputMillis)
          delay += Math.max(0, Date.now() - due)
        }
        yield* perform(deed)
      }
    })
    const { all = [], ...documents } = Arr.groupBy(deeds, ({ life }) => life ?? "all")
    const changing = yield* Effect.forEach(Object.values(documents), (deeds) => Effect.forkScoped(performAll(deeds)))
    yield* performAll(all)
    yield* Effect.sleep(Math.max(0, startedAt + disturbing - Date.now()))
    faults.end()
    say("All is calm; the fleet works off what is left")
    yield* Effect.forEach(changing, Fiber.join)
    say("No document changes any more")

    const expected = [...new Map(versions.map((version) => [World.keyOf(version), version])).values()]
      .filter((version) => !removed.has(World.keyOf(version)))
      .flatMap((version) => [...version.executions])
      .flatMap(([vault, id]) => (deletedVaults.has(vault) ? [] : [id]))
    yield* Checker.settled(
      world,
      { executions: expected, deletedVaults, removed, versions },
      startedAt + total + patience
    )
    const unwell = yield* fleet.unwell
    say("The fleet ends")
    yield* fleet.stop

    const remains = yield* Checker.gather(world)
    const answers = paid.account()
    const findings = [
      ...Checker.check(
        {
          versions,
          removed,
          malformed: disturbances.malformed,
          deletedVaults,
          maxRetries: 3,
          edits: edits.done,
          outages: outages.done,
          concerned: outages.concerned,
          traffic
        },
        remains
      ),
      {
        rule: "no answer that was kept, or could have been, is paid for again",
        checked: answers.questions,
        misses: answers.misses
      },
      {
        rule: "every worker ended in an orderly way, and left no file",
        checked: fleet.counts.starts,
        misses: fleet.misses
      },
      { rule: "every worker was well when all was calm", checked: runtimes.length, misses: unwell }
    ]
    const redelivered = [...traffic.receives.values()].reduce((sum, count) => sum + count - 1, 0)
    print(
      Report.of({
        seed,
        minutes,
        findings,
        load: {
          "document versions": versions.length,
          "documents deleted": removed.size,
          executions: remains.executions.length,
          completed: remains.executions.filter(({ status }) => status === "completed").length,
          failed: remains.executions.filter(({ status }) => status === "failed").length,
          "of these by bad luck (retries used up)": Checker.badLuck(remains),
          "messages in the poison queue": remains.poison.length,
          "service calls": traffic.counts.calls
        },
        faults: Object.fromEntries([...faults.counts].sort(([one], [other]) => (one < other ? -1 : 1))),
        events: {
          "worker processes started": fleet.counts.starts,
          "of these with a wrong clock": fleet.counts.skewed,
          "clocks set while running": fleet.counts.clockSteps,
          "killed (SIGKILL)": fleet.counts.killed,
          "killed by a document": fleet.counts.killedByDocuments,
          "stopped for longer than a lease (SIGSTOP)": fleet.counts.frozen,
          "ended (SIGTERM)": fleet.counts.terminated,
          "emulators restarted": disturbances.counts.restarts,
          "leases stolen": disturbances.counts.stolenLeases,
          "locks stolen": disturbances.counts.stolenLocks,
          "messages sent twice": disturbances.counts.duplicatesSent,
          "messages delivered again": redelivered,
          "messages taken by foreign readers": readers.counts.deliveries,
          "outputs refused by a condition": traffic.counts.refusedOutputs,
          "outputs removed": traffic.counts.removedOutputs,
          "questions to a model": answers.questions,
          "paid calls": answers.calls,
          "again, as no answer came whole": answers.unheard,
          "again, as the worker died or was stopped with it": answers.afterDeath,
          "again, as two attempts asked at the same time": answers.atOnce,
          "again, as what keeps answers was away": answers.away,
          "edits of executions": edits.done.length,
          "malformed messages": disturbances.malformed.length,
          "pipeline edits": disturbances.counts.edits
        },
        outages: outages.done
      })
    )
    return findings.every(({ misses }) => misses.length === 0)
  })

/** Where workers keep the results of steps. */
const keptAnswers = "contentflow-tasks/steps"

/** So long outputs are waited for when all is calm. One that does not come has its reason, which the checker finds. */
const outputMillis = 60_000

/** Waits until all outputs of this version are there. */
const written = (traffic: Traffic.Traffic, draft: World.Draft, until: number) => {
  const isThere = () =>
    World.outputsOf(draft).every((output) => draft.marker === `marker-${traffic.versionOf(output)}-`)
  return Effect.sync(() => isThere() || Date.now() > until).pipe(
    Effect.repeat({ until: (done) => done, schedule: Schedule.spaced("500 millis") })
  )
}

const settings = {
  NUM_PROCESSING_WORKERS: "4",
  NUM_SOURCE_WORKERS: "1",
  QUEUE_VISIBILITY_TIMEOUT_SECONDS: String(visibilitySeconds),
  LOCK_TTL_SECONDS: "12",
  CRAWL_OVERLAP_SECONDS: "30",
  TASK_TIMEOUT_SECONDS: "60",
  SHUTDOWN_GRACE_SECONDS: String(graceSeconds),
  STORAGE_WORKER_QUEUE_NAME: World.queueName,
  COSMOS_DB_KEY: Emulators.cosmosKey,
  COSMOS_DB_NAME: World.database
}

const addressesOf = (queue: string, blob: string) => ({
  AZURE_STORAGE_CONNECTION_STRING: [
    "DefaultEndpointsProtocol=http",
    `AccountName=${Emulators.accountName}`,
    `AccountKey=${Emulators.accountKey}`,
    `QueueEndpoint=${queue}/${Emulators.accountName}`,
    `BlobEndpoint=${blob}/${Emulators.accountName}`
  ].join(";")
})

const originOf = (url: string): string => new URL(url).origin

const print = (line: string): void => void process.stdout.write(`${line}\n`)

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    minutes: { type: "string", default: "10" },
    tasks: { type: "string", default: "2000" },
    without: { type: "string", default: "" },
    logs: { type: "string" },
    embedded: { type: "boolean", default: false }
  }
})
const numbers = { seed: Number(values.seed), minutes: Number(values.minutes), tasks: Number(values.tasks) }
if (!Object.values(numbers).every((value) => Number.isFinite(value) && value > 0)) {
  print("--seed, --minutes and --tasks take positive numbers.")
  process.exit(2)
}
const trials = Trials.without(values.without)
if (trials === undefined) {
  print(`--without takes a comma list of ${Trials.all.join(", ")}.`)
  process.exit(2)
}
// Of what the emulators' packages and clients use, and nobody can change here.
process.noDeprecation = true
const fine = await Effect.runPromise(
  Effect.scoped(
    values.embedded ? FolderRun.run({ ...numbers, logs: values.logs }) : run({ ...numbers, logs: values.logs, trials })
  ).pipe(Effect.provide(Logger.minimumLogLevel(LogLevel.Warning)))
)
process.exit(fine ? 0 : 1)
