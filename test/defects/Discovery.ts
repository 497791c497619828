import { assert, describe } from "@effect/vitest"
import { Deferred, Duration, Effect, Exit, Option, Scope, Stream } from "effect"
import * as Task from "../../src/domain/Task.ts"
import type { Document } from "../../src/store/DocumentContainer.ts"
import { policyOf } from "../../src/worker/task/RetryPolicy.ts"
import * as Harness from "../pipeline/Harness.ts"
import { CosmosServer } from "../../src/testing/CosmosServer.ts"
import * as Emulators from "../../src/testing/Emulators.ts"
import { eventually } from "../../src/testing/Eventually.ts"
import * as Tasks from "../support/Tasks.ts"
import { pointer } from "./Pointer.ts"
import * as Probes from "./Probes.ts"
import * as Stack from "./Stack.ts"

const { crawling, line, listing, node } = Stack

/** An engine that only crawls. */
const crawler = { processingWorkers: 0, sourceWorkers: 1, crawlOverlap: Duration.zero }

const found = (...names: ReadonlyArray<string>) => Probes.found(...names.map((name) => Tasks.item(name)))

const failing = Stream.fail(Probes.failure("Transient", "The listing broke off."))

/** The documents that a probe was run over, in any order. */
const processed = (probes: Probes.Probes, of: string): ReadonlyArray<string> =>
  probes
    .runs(of)
    .flatMap((items) => items.map(({ id }) => String(id?.unique_id)))
    .toSorted()

/** The paths of the blobs that a probe was run over, in any order. */
const paths = (probes: Probes.Probes, of: string): ReadonlyArray<string> =>
  probes
    .runs(of)
    .flatMap((items) => items.map(({ id }) => String(id?.path)))
    .toSorted()

/** The documents of all queued tasks, in any order. */
const queued = ({ tasks }: Emulators.Installation) =>
  Effect.promise(async () => {
    const { peekedMessageItems } = await tasks.peekMessages({ numberOfMessages: 32 })
    return peekedMessageItems
      .flatMap(({ messageText }) =>
        (JSON.parse(messageText).payload.content as ReadonlyArray<Stack.Stored>).map(({ id }) => id.unique_id)
      )
      .toSorted()
  })

const checkpointOf = (installation: Emulators.Installation, name: string) =>
  Effect.map(Stack.checkpointsOf(installation, Stack.vaultOf(name)), ([checkpoint]) => checkpoint)

/** Waits until crawls of the vault began so many times more. */
const crawledAgain = (installation: Emulators.Installation, vaultId: string, times: number) => {
  const start = Effect.map(Stack.checkpointsOf(installation, vaultId), ([first]) => first?.["last_crawl_started_at"])
  return Effect.gen(function* () {
    const seen = new Set([yield* start])
    yield* eventually(`${vaultId} is crawled ${times} times more`, start, (now) => seen.add(now).size > times)
  })
}

/** Another vault that is crawled anew: its crawls show that the schedule was looked at, and what was due before it. */
const bystander = (installation: Emulators.Installation, probes: Probes.Probes, name: string, times: number) =>
  Effect.zipRight(Stack.watch(installation, name, crawling(name)), Stack.crawled(probes, name, times))

const lockOf = ({ documents }: Emulators.Installation, name: string) =>
  Effect.map(Effect.orDie(documents.locks.where({ pipeline_id: name })), ([lock]): Document | undefined => lock)

export const discovery = (it: Stack.It) => {
  describe("Discovery and scheduling", () => {
    it.scoped("D17 a crawl leaves one execution for each document, and none about itself", () =>
      Effect.gen(function* () {
        const { installation, probes } = yield* Stack.Stack
        yield* Emulators.upload(installation, "d17", { "a.txt": "A", "b.txt": "B", "c.txt": "C" })
        yield* Stack.watch(installation, "d17", listing("d17"))
        yield* Stack.endedOf(installation, "d17-vault", 3)
        yield* crawledAgain(installation, "d17-vault", 2)
        const all = yield* Emulators.executionsOf(installation, "d17-vault")
        assert.strictEqual(Emulators.withStatus(all, "completed"), 3)
        assert.lengthOf(all, 3)
        assert.deepStrictEqual(paths(probes, "d17"), ["a.txt", "b.txt", "c.txt"])
      })
    )

    it.scoped("D18 crawls that find nothing write nothing, and a crawl that fails again is recorded once", () =>
      Effect.gen(function* () {
        const { installation, probes } = yield* Stack.Stack
        probes.sources.set("d18-failing", () => failing)
        yield* Stack.watch(installation, "d18", crawling("d18"))
        yield* Stack.watch(installation, "d18-failing", crawling("d18-failing"))
        yield* Effect.all([Stack.crawled(probes, "d18", 3), Stack.crawled(probes, "d18-failing", 3)])
        assert.lengthOf(yield* Emulators.executionsOf(installation, "d18-vault"), 0)
        assert.lengthOf(yield* Emulators.executionsOf(installation, "d18-failing-vault"), 1)
      })
    )

    it.scoped("D19 what could not be queued is queued by a later crawl: the checkpoint waits for it", () =>
      Effect.gen(function* () {
        const { installation, probes } = yield* Stack.alone("defect-19")
        const { tasks } = installation
        probes.sources.set("d19", () => found("a", "b"))
        yield* Effect.promise(() => tasks.delete())
        yield* Stack.watch(installation, "d19", crawling("d19"))
        yield* Stack.engine(installation, probes, crawler)
        yield* Stack.crawled(probes, "d19", 1)
        assert.isUndefined(yield* checkpointOf(installation, "d19"))
        yield* Effect.promise(() => tasks.create())
        yield* eventually(
          "the checkpoint moves",
          checkpointOf(installation, "d19"),
          (checkpoint) => typeof checkpoint?.["checkpoint_timestamp"] === "string"
        )
        assert.deepStrictEqual(yield* queued(installation), ["a", "b"])
      })
    )

    it.scoped(
      "D20 a stop during a crawl leaves its checkpoint: the next worker queues the rest, and nothing twice",
      () =>
        Effect.gen(function* () {
          const { installation, probes } = yield* Stack.alone("defect-20")
          probes.sources.set("d20", () => Stream.concat(found("a"), Stream.never))
          yield* Stack.watch(installation, "d20", crawling("d20"))
          const scope = yield* Scope.make()
          yield* Scope.extend(Stack.engine(installation, probes, crawler), scope)
          yield* eventually("one task is queued", Emulators.depth(installation.tasks), (depth) => depth === 1)
          yield* Scope.close(scope, Exit.void)
          assert.isUndefined(yield* checkpointOf(installation, "d20"))
          assert.isUndefined(yield* lockOf(installation, "d20"))
          probes.sources.set("d20", () => found("a", "b"))
          yield* Stack.engine(installation, probes, crawler)
          yield* eventually("two tasks are queued", Emulators.depth(installation.tasks), (depth) => depth === 2)
          yield* Stack.crawled(probes, "d20", 3)
          assert.deepStrictEqual(yield* queued(installation), ["a", "b"])
        })
    )

    it.scoped("D21 a pipeline whose executors can't crawl has no checkpoint and no record", () =>
      Effect.gen(function* () {
        const { installation, probes } = yield* Stack.Stack
        const yaml = line(node("fetch", "azure_blob_content_retriever"), node("probe", "probe", { of: "d21" }))
        yield* Stack.watch(installation, "d21", yaml)
        yield* bystander(installation, probes, "d21-other", 2)
        assert.lengthOf(yield* Stack.checkpointsOf(installation, "d21-vault"), 0)
        assert.lengthOf(yield* Emulators.executionsOf(installation, "d21-vault"), 0)
      })
    )

    it.scoped("D22 what a failed crawl queued is not queued again by the next", () =>
      Effect.gen(function* () {
        const { installation, probes } = yield* Stack.Stack
        probes.sources.set("d22", () =>
          probes.crawls("d22").length === 1 ? Stream.concat(found("a"), failing) : found("a", "b")
        )
        yield* Stack.watch(installation, "d22", crawling("d22"))
        // The crawl that failed has an execution of its own.
        yield* Stack.endedOf(installation, "d22-vault", 3)
        yield* Stack.crawled(probes, "d22", 3)
        assert.deepStrictEqual(processed(probes, "d22"), ["a", "b"])
        assert.lengthOf(yield* Emulators.executionsOf(installation, "d22-vault"), 3)
      })
    )
    it.scoped("D22 a checkpoint that can't be read now is no reason to crawl everything again", () =>
      Effect.gen(function* () {
        const { installation, probes } = yield* Stack.Stack
        const cosmos = yield* CosmosServer
        yield* Stack.watch(installation, "d22-read", crawling("d22-read"))
        yield* Stack.crawled(probes, "d22-read", 1)
        yield* eventually(
          "the first crawl has its checkpoint",
          checkpointOf(installation, "d22-read"),
          (checkpoint) => typeof checkpoint?.["checkpoint_timestamp"] === "string"
        )
        const path = "/vault_crawl_checkpoints/docs/d22-read"
        const before = cosmos.log.length
        cosmos.answerNext({
          status: 503,
          times: 2,
          when: (request) => request.method === "GET" && request.path.includes(path)
        })
        yield* eventually(
          "the checkpoint could not be read twice",
          Effect.sync(
            () => cosmos.log.slice(before).filter((line) => line.includes(path) && line.endsWith(" 503")).length
          ),
          (count) => count === 2
        )
        yield* Stack.crawled(probes, "d22-read", probes.crawls("d22-read").length + 1)
        const [first, ...others] = probes.crawls("d22-read")
        assert.isTrue(first !== undefined && Option.isNone(first))
        assert.isTrue(others.every(Option.isSome))
      })
    )

    it.scoped("D23 a task whose documents exceed a queue message refers to them in a blob: all 100 are processed", () =>
      Effect.gen(function* () {
        const { installation, probes } = yield* Stack.Stack
        const names = Tasks.names(100).map((name) => `a folder with a rather long name/${name}.pdf`)
        yield* Emulators.upload(installation, "d23", Object.fromEntries(names.map((name) => [name, "PDF"])))
        yield* Stack.watch(installation, "d23", listing("d23", { items_per_task: 100, polling_interval_seconds: 3600 }))
        const all = yield* Stack.endedOf(installation, "d23-vault", 1)
        assert.lengthOf(all, 1)
        assert.deepInclude(all[0], { status: "completed", number_of_items: 100 })
        const [items = []] = probes.runs("d23")
        assert.isAbove(Buffer.byteLength(JSON.stringify(items)), 64 * 1024)
        assert.deepStrictEqual(paths(probes, "d23"), names)
      })
    )

    it.scoped(
      "D24 a crawl longer than LOCK_TTL_SECONDS stays the only one of two workers, under a lock of its own name",
      () =>
        Effect.gen(function* () {
          const { installation, probes } = yield* Stack.alone("defect-24")
          const interrupted = yield* Deferred.make<void>()
          probes.sources.set("d24", () =>
            Stream.concat(
              found("a"),
              Stream.fromEffect(Effect.onInterrupt(Effect.never, () => Deferred.succeed(interrupted, undefined)))
            )
          )
          yield* Stack.watch(installation, "d24", crawling("d24"))
          const settings = { ...crawler, workerName: "replica", lockTtl: Duration.seconds(6) }
          yield* Stack.engine(installation, probes, settings)
          yield* Stack.engine(installation, probes, settings)
          const first = yield* eventually(
            "the lock is there",
            lockOf(installation, "d24"),
            (lock) => lock !== undefined
          )
          assert.match(String(first?.["worker_id"]), /^InputSourceWorker-0@replica\/.{8,}$/)
          const over = String(first?.["expires_at"])
          const renewed = yield* eventually(
            "the lock was renewed after it would have expired",
            lockOf(installation, "d24"),
            (lock) => String(lock?.["locked_at"]) > over
          )
          assert.strictEqual(renewed?.["worker_id"], first?.["worker_id"])
          assert.lengthOf(probes.crawls("d24"), 1)

          // Somebody takes the lock away: the crawl stops, and leaves the lock and the checkpoint alone.
          const other = { worker_id: "InputSourceWorker-0", instance: "other" }
          const far = { locked_at: "2100-01-01T00:00:00+00:00", expires_at: "2100-01-01T01:00:00+00:00" }
          yield* installation.documents.locks.upsert({ ...renewed, id: String(renewed?.["id"]), ...other, ...far })
          yield* Deferred.await(interrupted)
          yield* bystander(installation, probes, "d24-other", 2)
          assert.deepInclude(yield* lockOf(installation, "d24"), other)
          assert.isUndefined(yield* checkpointOf(installation, "d24"))
          assert.lengthOf(probes.crawls("d24"), 1)
        })
    )

    it.scoped(
      "D25 workers share the schedule: one crawl an interval, none more after a restart or a failed query",
      () =>
        Effect.gen(function* () {
          const { installation, probes } = yield* Stack.alone("defect-25")
          const cosmos = yield* CosmosServer
          yield* Stack.watch(installation, "d25", crawling("d25", 3600))
          const scope = yield* Scope.make()
          yield* Scope.extend(Stack.engine(installation, probes, crawler), scope)
          yield* Scope.extend(Stack.engine(installation, probes, crawler), scope)
          yield* bystander(installation, probes, "d25-second", 3)
          assert.lengthOf(probes.crawls("d25"), 1)

          yield* Scope.close(scope, Exit.void)
          yield* Stack.engine(installation, probes, crawler)
          yield* bystander(installation, probes, "d25-third", 2)
          assert.lengthOf(probes.crawls("d25"), 1)

          const query = "/dbs/defect-25/colls/vaults/docs"
          const before = cosmos.log.length
          cosmos.answerNext({ status: 503, times: 2, when: ({ method, path }) => method === "POST" && path === query })
          yield* eventually(
            "the vaults could not be read twice",
            Effect.sync(() => cosmos.log.slice(before).filter((line) => line === `POST ${query} 503`).length),
            (count) => count === 2
          )
          yield* bystander(installation, probes, "d25-fourth", 1)
          assert.lengthOf(probes.crawls("d25"), 1)
        })
    )

    it.scoped("D26 each vault of a pipeline gets executions of its own, and goes on when another is disabled", () =>
      Effect.gen(function* () {
        const { installation, probes } = yield* Stack.Stack
        const { vaults } = installation.documents
        const second = { id: "d26-second", pipeline_id: "d26", enabled: true, save_execution_output: true }
        probes.sources.set("d26", () => found("a"))
        yield* vaults.upsert(second)
        yield* Stack.watch(installation, "d26", crawling("d26"))
        yield* Stack.endedOf(installation, "d26-vault", 1)
        yield* Stack.endedOf(installation, "d26-second", 1)

        yield* Stack.watch(installation, "d26", crawling("d26"), { vault: { enabled: false } })
        // The schedule that the second of them came from has read the vaults since.
        yield* crawledAgain(installation, "d26-second", 2)
        probes.sources.set("d26", () => found("a", "b"))
        yield* Stack.endedOf(installation, "d26-second", 2)
        assert.lengthOf(yield* Emulators.executionsOf(installation, "d26-vault"), 1)
      })
    )

    it.scoped("D27 a changed polling interval counts at the next look at the schedule", () =>
      Effect.gen(function* () {
        const { installation, probes } = yield* Stack.Stack
        yield* Stack.watch(installation, "d27", crawling("d27", 3600))
        yield* Stack.crawled(probes, "d27", 1)
        yield* Stack.watch(installation, "d27", crawling("d27"))
        yield* Stack.crawled(probes, "d27", 2)
      })
    )

    it.scoped("D28 a pipeline or an input executor that is not enabled is not crawled, until it is", () =>
      Effect.gen(function* () {
        const { installation, probes } = yield* Stack.Stack
        const input = node("source", "probe_source", {
          of: "d28-input",
          polling_interval_seconds: 0.25,
          enabled: false
        })
        yield* Stack.watch(installation, "d28", crawling("d28"), { pipeline: { enabled: false } })
        yield* Stack.watch(installation, "d28-input", line(input, node("probe", "probe", { of: "d28-input" })))
        yield* bystander(installation, probes, "d28-other", 2)
        assert.lengthOf([...probes.crawls("d28"), ...probes.crawls("d28-input")], 0)
        yield* Stack.watch(installation, "d28", crawling("d28"))
        yield* Stack.watch(installation, "d28-input", crawling("d28-input"))
        yield* Effect.all([Stack.crawled(probes, "d28", 1), Stack.crawled(probes, "d28-input", 1)])
      })
    )
    it.scoped("D28 retries of a pipeline come before the settings", () =>
      Effect.gen(function* () {
        const { installation, probes } = yield* Stack.Stack
        probes.work.set("d28-retries", () => Effect.fail(Probes.failure("Transient", "The service is busy.")))
        const retried = yield* Stack.ran(installation, "d28-retries", Stack.probing("d28-retries"), {
          pipeline: { retries: 1, retry_delay: 0.1 },
          payload: { max_retries: 0 }
        })
        assert.match(String(retried["error"]), /\(2 attempts\)/)
        assert.lengthOf(probes.runs("d28-retries"), 2)
      })
    )

    it.effect("D28 retry_delay of a pipeline is the first delay", () =>
      Effect.gen(function* () {
        const { task } = yield* Task.decode(Tasks.message("d28", "d28", Tasks.item("d28")))
        const pipeline = { ...Harness.versioned("").pipeline, retry_delay: 7 }
        assert.deepStrictEqual(policyOf(task, pipeline).base, Duration.seconds(7))
      })
    )

    it.scoped("D29 the input executor is the first that can crawl, wherever it stands", () =>
      Effect.gen(function* () {
        const { installation, probes } = yield* Stack.Stack
        const source = node("source", "probe_source", { of: "d29", polling_interval_seconds: 0.25 })
        const nodes = [node("fetch", "content_retriever"), node("probe", "probe", { of: "d29" }), source]
        probes.sources.set("d29", () => found("a"))
        yield* Stack.watch(installation, "d29", Stack.graph(nodes, { edges: [{ from: "source", to: "probe" }] }))
        const [execution] = yield* Stack.endedOf(installation, "d29-vault", 1)
        assert.deepInclude(execution, { status: "completed", number_of_items: 1 })
        assert.deepStrictEqual(processed(probes, "d29"), ["a"])
      })
    )
    it.scoped(
      "D29 a type's name is read the same way everywhere: another spelling is told once, with the right one",
      () =>
        Effect.gen(function* () {
          const { installation, probes } = yield* Stack.Stack
          yield* Stack.watch(installation, "d29-case", listing("d29").replace("azure_blob_input", "Azure_Blob_Input"))
          const [execution] = yield* Stack.endedOf(installation, "d29-case-vault", 1)
          assert.strictEqual(execution?.["status"], "failed")
          assert.match(String(execution?.["error"]), /Azure_Blob_Input_discovery.*azure_blob_input_discovery/)
          yield* bystander(installation, probes, "d29-other", 2)
          assert.lengthOf(yield* Emulators.executionsOf(installation, "d29-case-vault"), 1)
        })
    )

    it.scoped("D30 crawls discover virtual folders", () =>
      Effect.gen(function* () {
        const { installation, probes } = yield* Stack.Stack
        yield* Emulators.upload(installation, "d30-folders", { "in/a/1": "1", "in/a/2": "2", "in/b/1": "1" })
        const settings = { discover_mode: "virtual_folders", prefix: "in/" }
        yield* Stack.watch(installation, "d30-folders", listing("d30-folders", settings))
        yield* Stack.endedOf(installation, "d30-folders-vault", 2)
        assert.deepStrictEqual(paths(probes, "d30-folders"), ["in/a/", "in/b/"])
      })
    )
    it.scoped("D30 max_results counts what passes the filters, and later crawls reach what it left out", () =>
      Effect.gen(function* () {
        const { installation, probes } = yield* Stack.Stack
        const names = [..."abcdefg"].map((name) => `${name}.${name < "c" ? "txt" : "pdf"}`)
        yield* Emulators.upload(installation, "d30-limit", Object.fromEntries(names.map((name) => [name, name])))
        const settings = { max_results: 2, file_extensions: "pdf" }
        yield* Stack.watch(installation, "d30-limit", listing("d30-limit", settings))
        yield* Stack.endedOf(installation, "d30-limit-vault", 5)
        assert.deepStrictEqual(paths(probes, "d30-limit"), names.slice(2))
      })
    )

    it.scoped("D31 a slow source delays no other", () =>
      Effect.gen(function* () {
        const { installation, probes } = yield* Stack.Stack
        probes.sources.set("d31-slow", () => Stream.never)
        yield* Stack.watch(installation, "d31-slow", crawling("d31-slow"))
        yield* Stack.crawled(probes, "d31-slow", 1)
        yield* bystander(installation, probes, "d31", 2)
        assert.lengthOf(probes.crawls("d31-slow"), 1)
      })
    )
    pointer(
      "D31 a pipeline that can't be read waits for the next look, and holds up nobody",
      "test/worker/CrawlSchedule.test.ts",
      "a pipeline that can't be read now is crawled as it was known"
    )
    pointer(
      "D31 a pipeline that is invalid is recorded once",
      "test/worker/FailedCrawls.test.ts",
      "because its pipeline is invalid is recorded once, not at each look"
    )
  })
}
