import { assert, describe, layer } from "@effect/vitest"
import { Clock, Context, Duration, Effect, Layer, Logger, LogLevel, Scope } from "effect"
import { nameOf } from "../../src/domain/Content.ts"
import * as AzureWorker from "../../src/AzureWorker.ts"
import type { BlobStore } from "../../src/blob/BlobStore.ts"
import * as AzureConfig from "../../src/azure/AzureConfig.ts"
import * as WorkerConfig from "../../src/config/WorkerConfig.ts"
import * as Catalog from "../../src/executor/Catalog.ts"
import { define, fromServiceError } from "../../src/executor/Executor.ts"
import * as AzureBlobInputDiscovery from "../../src/executors/input/AzureBlobInputDiscovery.ts"
import * as AzureBlobOutput from "../../src/executors/output/AzureBlobOutput.ts"
import * as PipelineRunner from "../../src/pipeline/PipelineRunner.ts"
import type { Document } from "../../src/store/DocumentContainer.ts"
import * as WorkerEngine from "../../src/worker/WorkerEngine.ts"
import * as CrashingPorts from "../../src/testing/CrashingPorts.ts"
import * as Emulators from "../../src/testing/Emulators.ts"
import { eventually } from "../../src/testing/Eventually.ts"
import * as Tasks from "../support/Tasks.ts"

/*
 * What test/worker/CrashPoints.test.ts and CrawlCrashPoints.test.ts do on ports in memory, once over the real adapters: the process
 * ends at its first call, its second, … and another one goes on.
 */

interface Life {
  readonly name: string
  readonly documents: ReadonlyArray<string>
  readonly sourceWorkers: number
  readonly arrange: (installation: Emulators.Installation) => Effect.Effect<void, never, Scope.Scope>
  readonly atLeast: number
}

/** Leases and locks that live for this long only, by the wall clock. */
const short = Duration.seconds(2)

const definition = (name: string) => `
pipeline:
  name: line
  executors:
    - {id: discover, type: azure_blob_input_discovery,
       settings: {blob_storage_account: devstoreaccount1, blob_container_name: ${name}-in}}
    - {id: read, type: reader}
    - {id: write, type: azure_blob_output,
       settings: {storage_account_name: devstoreaccount1, container_name: ${name}-out, overwrite_existing: false,
                  path_template: out/, filename_template: "{id.filename}.json"}}
  edges:
    - {from: discover, to: read}
    - {from: read, to: write}
`

const lives: ReadonlyArray<Life> = [
  {
    name: "task",
    documents: ["doc.txt"],
    sourceWorkers: 0,
    arrange: (installation) => Tasks.enqueue(installation, "line", ["doc.txt"]),
    atLeast: 8
  },
  {
    name: "crawl",
    documents: ["a.txt", "b.txt"],
    sourceWorkers: 1,
    arrange: (installation) =>
      Emulators.upload(installation, `${installation.settings.queueName}-in`, {
        "a.txt": "The text of a.txt.",
        "b.txt": "The text of b.txt."
      }),
    atLeast: 24
  }
]

/** The wall clock, for a process that may die: nobody who sleeps by it wakes after that. */
const mortalClock = () => {
  const real = Clock.make()
  let stopped = false
  const clock: Clock.Clock = {
    [Clock.ClockTypeId]: Clock.ClockTypeId,
    unsafeCurrentTimeMillis: () => real.unsafeCurrentTimeMillis(),
    unsafeCurrentTimeNanos: () => real.unsafeCurrentTimeNanos(),
    currentTimeMillis: real.currentTimeMillis,
    currentTimeNanos: real.currentTimeNanos,
    sleep: (duration) =>
      Effect.flatMap(real.sleep(duration), () => (stopped ? Effect.async<never>(() => undefined) : Effect.void))
  }
  return {
    clock,
    stop: () => {
      stopped = true
    }
  }
}

/** Starts an engine that dies at the incident and runs no finalizers. */
const started = Effect.fnUntraced(function* (
  life: Life,
  ports: Context.Context<Layer.Layer.Success<typeof AzureWorker.ports>>,
  runs: Map<string, number>,
  incident: CrashingPorts.Incident | undefined
) {
  const { clock, stop } = mortalClock()
  const process = CrashingPorts.make({ incident, onDeath: stop, local: new Set(["TaskQueue.awaitSend"]) })
  const reader = define<{}, BlobStore>({
    type: "reader",
    category: "extract",
    name: "Reader",
    description: "Reads a document.",
    settings: {},
    make: (_, context) =>
      Effect.succeed({
        process: (items) =>
          Effect.forEach(items, (item) => {
            const name = item.id?.filename ?? nameOf(item)
            const read = Effect.sync(() => {
              runs.set(name, (runs.get(name) ?? 0) + 1)
              return { ...item, data: { ...item.data, read: name } }
            })
            return Effect.mapError(process.call("Executor.read", read), fromServiceError(context, item))
          })
      })
  })
  const engine = WorkerEngine.layer.pipe(
    Layer.provide(PipelineRunner.layer),
    Layer.provide(Catalog.layer([AzureBlobInputDiscovery.executor, AzureBlobOutput.executor, reader])),
    Layer.provide(Layer.succeedContext(process.wrap(ports))),
    Layer.provide(
      WorkerConfig.layerWith({
        processingWorkers: 1,
        sourceWorkers: life.sourceWorkers,
        visibilityTimeout: short,
        lockTtl: short,
        defaultPollingInterval: Duration.seconds(3),
        schedulerInterval: Duration.millis(500),
        queuePollInterval: Duration.seconds(1)
      })
    )
  )
  const scope = yield* Scope.make()
  yield* Layer.buildWithScope(engine, scope).pipe(
    Effect.withClock(clock),
    Logger.withMinimumLogLevel(LogLevel.None),
    Effect.forkDaemon
  )
  return process
})

/** Before the first crawl is through, a checkpoint is of the beginning of time. */
const moved = ({ checkpoint_timestamp }: Document): boolean => Date.parse(String(checkpoint_timestamp)) > 0

/** Beside ours lies the copy for the original, which has none of our fields. */
const isOurs = (checkpoint: Document): boolean => "crawling" in checkpoint

/** Lives the life on an installation of its own; gives the call after which the first process died, undefined when all was done before. */
const live = Effect.fnUntraced(function* (life: Life, at: number) {
  const name = `${life.name}-${at}`
  const installation = yield* Emulators.installation(name)
  yield* Emulators.register(installation, "line", definition(name))
  yield* Emulators.upload(installation, `${name}-in`, {})
  yield* Emulators.upload(installation, `${name}-out`, {})
  yield* life.arrange(installation)
  const ports = yield* Layer.build(
    AzureWorker.ports.pipe(Layer.provide(Layer.succeed(AzureConfig.AzureConfig, installation.settings)))
  )
  const runs = new Map<string, number>()

  const first = yield* started(life, ports, runs, { at, fault: "dies after" })
  // Many lives look at the emulators at once, which share the thread: they would do little else.
  const seen = Effect.delay(
    Effect.all({
      executions: Emulators.executionsOf(installation, "line-vault"),
      messages: Emulators.depth(installation.tasks),
      locks: installation.documents.locks.where({ pipeline_id: "line" }),
      checkpoints: installation.documents.checkpoints.where({ vault_id: "line-vault" })
    }),
    "300 millis"
  )
  type Seen = Effect.Effect.Success<typeof seen>
  // A dead crawl's lock ends by its time, too: then there is none, and the next crawl has yet to begin.
  const isOver = ({ checkpoints, executions, locks, messages }: Seen) =>
    messages === 0 &&
    locks.length === 0 &&
    checkpoints.filter((each) => isOurs(each) && moved(each)).length === life.sourceWorkers &&
    executions.length === life.documents.length &&
    Emulators.withStatus(executions, "completed") === life.documents.length

  const done = yield* eventually(
    `${name}: the first process is dead, or has done everything`,
    seen,
    (now) => !first.alive() || isOver(now)
  )
  // Alive now, it may still die in its next crawl: then nothing is left that a second would have to do.
  const outlived = first.alive()
  const struck = first.struck()
  const told = (what: string) => `${what} [died after call ${at}, ${struck}]`
  const second = outlived ? first : yield* started(life, ports, runs, undefined)
  const { executions } = outlived ? done : yield* eventually(told("everything is done"), seen, isOver)
  // Whoever would do something twice has had the time: leases, locks and the interval of crawls have ended.
  yield* Effect.sleep(Duration.times(short, 1.5))
  second.kill()

  const after = yield* Emulators.executionsOf(installation, "line-vault")
  assert.sameMembers(
    after.map((execution) => String(execution["id"])),
    executions.map((execution) => String(execution["id"])),
    told("no execution is added")
  )
  assert.strictEqual(Emulators.withStatus(after, "completed"), life.documents.length, told("all stay completed"))
  for (const execution of after) assert.isNull(execution["error"], told("no error"))
  for (const document of life.documents) {
    assert.include(
      [1, struck === undefined ? 1 : 2],
      runs.get(document),
      told(`${document} was read at most once more`)
    )
  }
  assert.deepStrictEqual(
    yield* Emulators.blobNames(installation, `${name}-out`),
    life.documents.map((document) => `out/${document}.json`),
    told("every output is there, once")
  )
  assert.isFalse(yield* Effect.promise(() => installation.poison.exists()), told("nothing was put aside"))
  const all = yield* installation.documents.checkpoints.where({ vault_id: "line-vault" })
  const checkpoints = all.filter(isOurs)
  assert.lengthOf(checkpoints, life.sourceWorkers, told("the checkpoint"))
  assert.isTrue(checkpoints.every(moved), told("the checkpoint moved"))
  return struck
}, Effect.scoped)

/** Lives at the same time: their waiting costs nothing. */
const together = 8

describe("A process on the real adapters that ends at any of its calls", () => {
  layer(Emulators.emulators, { excludeTestServices: true })((it) => {
    for (const life of lives) {
      it.scoped(
        `in the life of a ${life.name}`,
        () =>
          Effect.gen(function* () {
            const struck: Array<string> = []
            for (let at = 0; ; at += together) {
              const batch = Array.from({ length: together }, (_, index) => live(life, at + index))
              const names = yield* Effect.all(batch, { concurrency: together })
              for (const name of names) if (name !== undefined) struck.push(name)
              if (names.includes(undefined)) break
            }
            assert.isAtLeast(struck.length, life.atLeast, struck.join(", "))
          }),
        300_000
      )
    }
  })
})
