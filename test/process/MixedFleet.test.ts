import { assert, describe, layer } from "@effect/vitest"
import { Deferred, Duration, Effect, Either, Option, Schema, Stream } from "effect"
import { nameOf } from "../../src/domain/Content.ts"
import { ExecutionId } from "../../src/domain/Ids.ts"
import { type CrawlBatch, define, type Discovered, type Executor, ExecutorError } from "../../src/executor/Executor.ts"
import * as ExecutionDocuments from "../../src/store/ExecutionDocuments.ts"
import { CosmosServer } from "../../src/testing/CosmosServer.ts"
import * as Emulators from "../../src/testing/Emulators.ts"
import { eventually } from "../../src/testing/Eventually.ts"
import * as Python from "../support/PythonWorker.ts"
import * as Tasks from "../support/Tasks.ts"

// --- The API's models (src/domain/README.md): one document that breaks them makes the list of the whole vault fail. ---

const Json = Schema.Record({ key: Schema.String, value: Schema.Unknown })
const Text = Schema.optional(Schema.NullOr(Schema.String))
/** Compared as a text, so that its form counts. */
const Moment = Schema.String.pipe(Schema.pattern(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?\+00:00$/))
const OptionalMoment = Schema.optional(Schema.NullOr(Moment))

const VaultExecution = Schema.Struct({
  id: Schema.String,
  pipeline_id: Schema.String,
  pipeline_name: Schema.String,
  vault_id: Schema.String,
  status: Schema.Literal("pending", "running", "completed", "failed"),
  status_message: Text,
  task_id: Text,
  source_worker_id: Text,
  processing_worker_id: Text,
  content: Schema.optional(Schema.NullOr(Schema.Array(Json))),
  number_of_items: Schema.optional(Schema.NullOr(Schema.Int)),
  created_at: Moment,
  created_by: Text,
  updated_at: OptionalMoment,
  started_at: OptionalMoment,
  completed_at: OptionalMoment,
  error: Text,
  executor_outputs: Schema.optional(Json),
  events: Schema.optional(Schema.Array(Json))
})

const VaultCrawlCheckpoint = Schema.Struct({
  id: Schema.String,
  pipeline_id: Schema.String,
  executor_id: Schema.String,
  vault_id: Schema.String,
  checkpoint_timestamp: Moment,
  worker_id: Schema.String
})

const accepted = <A, I>(model: Schema.Schema<A, I>, documents: ReadonlyArray<unknown>) => {
  const decode = Schema.decodeUnknownEither(model)
  for (const document of documents) {
    const result = decode(document)
    assert.isTrue(Either.isRight(result), Either.isLeft(result) ? result.left.message : "")
  }
}

// --- Our side ---

const pipelineId = "mixed_0123abcd"
const vaultId = `${pipelineId}-vault`

const definition = (source: string) => `
pipeline:
  name: mixed
  executors:
    - {id: discover, type: ${source}}
    - {id: work, type: work}
  edges:
    - {from: discover, to: work}
`

const work = (run: (name: string) => Effect.Effect<void, ExecutorError>): Executor<never> =>
  define({
    type: "work",
    category: "Utility",
    name: "Work",
    description: "What the test says, for every item.",
    settings: {},
    make: () =>
      Effect.succeed({
        process: (items) =>
          Effect.as(
            Effect.forEach(items, (item) => run(nameOf(item)), { discard: true }),
            items
          )
      })
  })

const source = (crawl: (checkpoint: Option.Option<number>) => Stream.Stream<CrawlBatch>): Executor<never> =>
  define({
    type: "source",
    category: "input",
    name: "Source",
    description: "Finds what the test says.",
    canCrawl: true,
    settings: {},
    make: () => Effect.succeed({ process: Effect.succeed, crawl })
  })

const idle = work(() => Effect.void)
const servedAt = Date.parse("2026-01-02T10:00:00Z")
const found = (names: ReadonlyArray<string>, data: Readonly<Record<string, unknown>> = {}): CrawlBatch => ({
  documents: names.map((name): Discovered => ({ item: Tasks.item(name, data), version: "1" })),
  servedAt
})
const finds = (...names: ReadonlyArray<string>) => source(() => Stream.make(found(names)))

const crawlOnly = { processingWorkers: 0, sourceWorkers: 1, defaultPollingInterval: Duration.hours(1) }
const processOnly = { processingWorkers: 2, sourceWorkers: 0 }

const fleets = (name: string, options: Python.Options = {}, type = "source") =>
  Effect.gen(function* () {
    const installation = yield* Emulators.installation(name)
    yield* Emulators.register(installation, pipelineId, definition(type), { save_execution_output: true })
    return { installation, python: yield* Python.make(installation, options) }
  })

const executionsOf = (installation: Emulators.Installation) => Emulators.executionsOf(installation, vaultId)

const allSent = (installation: Emulators.Installation, count: number) =>
  eventually("the messages are sent", Emulators.visible(installation.tasks), (sent) => sent.length === count)

const queueIsEmpty = (installation: Emulators.Installation) =>
  eventually("no message is left", Emulators.depth(installation.tasks), (left) => left === 0)

const ours = `${pipelineId}_discover_${vaultId}`
const checkpointOf = ({ documents }: Emulators.Installation, id: string) =>
  Effect.map(Effect.orDie(documents.checkpoints.read(id)), (reading) =>
    reading._tag === "Found" ? reading.document : {}
  )
const lockId = `pipeline_${pipelineId}_lock`
const lockOf = ({ documents }: Emulators.Installation) =>
  Effect.map(Effect.orDie(documents.locks.read(lockId)), (reading) =>
    reading._tag === "Found" ? reading.document : null
  )

/** Our lock, once it was renewed after this moment. */
const renewedAfter = (installation: Emulators.Installation, moment: unknown) =>
  eventually("the lock is renewed", lockOf(installation), (lock) => String(lock?.["locked_at"]) > String(moment))

describe("A fleet of Python workers and ours", () => {
  layer(Emulators.emulators, { excludeTestServices: true })((it) => {
    it.scoped("they run what we discover, and we discover it once", () =>
      Effect.gen(function* () {
        const { installation, python } = yield* fleets("mixed-discovered")
        const names = ["plain.txt", "a/Grüße & <b> 'c'.txt", "😀 100%.txt", `${"long/".repeat(100)}x.txt`]
        yield* Emulators.upload(installation, "mixed-discovered", Object.fromEntries(names.map((name) => [name, name])))
        yield* installation.documents.pipelines.upsert({
          id: pipelineId,
          name: "Mixed",
          enabled: true,
          yaml: definition(
            "azure_blob_input_discovery, settings: {blob_storage_account: devstoreaccount1, blob_container_name: mixed-discovered, polling_interval_seconds: 1}"
          )
        })
        const engine = yield* Emulators.engine(installation, crawlOnly, [idle])
        yield* allSent(installation, names.length)
        const received = yield* python.receive()
        for (const { messageText } of received) {
          assert.match(messageText, /^[ -~]+$/, "ASCII, and not base64")
          assert.isAtMost(messageText.length, 65_536)
        }
        const [first, second, third, fourth] = received
        assert.isDefined(first && second && third && fourth)
        accepted(VaultExecution, yield* executionsOf(installation))

        const results: ReadonlyArray<Python.Run> = [
          (items) => Either.right(items.map((item) => ({ ...item, data: { text: "theirs" } }))),
          (items) => Either.right([...items, ...items]),
          () => Either.left("ValueError: nothing to read"),
          () => Either.right([])
        ]
        for (const [index, message] of received.entries()) {
          const result = yield* python.process(message, results[index] ?? ((items) => Either.right(items)))
          assert.isTrue(Either.isRight(result), Either.isLeft(result) ? result.left : "")
        }
        const tasks = received.map(({ messageText }) => Either.getOrThrow(Python.parse(messageText)))
        assert.sameMembers(
          tasks.flatMap(({ content }) => content.map(({ id }) => id?.path)),
          names
        )
        const ended = yield* Effect.forEach(tasks, ({ execution_id }) => python.execution(execution_id))
        assert.deepStrictEqual(
          ended.map(({ number_of_items, status }) => [status, number_of_items]),
          [
            ["completed", 1],
            ["completed", 2],
            ["failed", 1],
            ["completed", 0]
          ]
        )
        for (const document of ended) assert.isString(document["enqueued_at"], "what they do not know survives")
        accepted(VaultExecution, ended)

        const crawled = yield* checkpointOf(installation, ours)
        yield* eventually(
          "two more crawls have ended",
          checkpointOf(installation, ours),
          (now) =>
            now["crawling"] === false &&
            Date.parse(String(now["last_crawl_started_at"])) >
              Date.parse(String(crawled["last_crawl_started_at"])) + 2_000
        )
        yield* engine.stop
        assert.strictEqual(yield* Emulators.depth(installation.tasks), 0)
        assert.lengthOf(yield* executionsOf(installation), names.length)
      })
    )

    it.scoped("they leave a message that refers to a blob to us", () =>
      Effect.gen(function* () {
        const { installation, python } = yield* fleets("mixed-claim", { visibilitySeconds: 1 })
        const large = source(() => Stream.make(found(["large"], { text: "ä".repeat(100_000) })))
        const crawler = yield* Emulators.engine(installation, crawlOnly, [idle, large])
        yield* allSent(installation, 1)
        yield* crawler.stop
        const [message] = yield* python.receive()
        assert.isDefined(message)
        if (message === undefined) return
        const result = yield* python.process(message, (items) => Either.right(items))
        assert.include(Either.isLeft(result) ? result.left : "", "content")
        assert.deepInclude((yield* executionsOf(installation))[0], { status: "pending", started_at: null, error: null })

        const seen: Array<string> = []
        const reader = work((name) => Effect.sync(() => void seen.push(name)))
        yield* Emulators.engine(installation, processOnly, [reader, large])
        yield* queueIsEmpty(installation)
        assert.lengthOf(seen, 1)
        const [execution] = yield* executionsOf(installation)
        assert.strictEqual(execution?.["status"], "completed")
        accepted(VaultExecution, [execution])
      })
    )

    it.scoped("they go on with what we gave back to the queue for another attempt", () =>
      Effect.gen(function* () {
        const { installation, python } = yield* fleets("mixed-retry")
        const tried = yield* Deferred.make<void>()
        const busy = work(() =>
          Effect.zipRight(
            Deferred.succeed(tried, undefined),
            new ExecutorError({ reason: "Transient", executorId: "work", itemId: null, message: "busy" })
          )
        )
        yield* installation.documents.pipelines.upsert({
          id: pipelineId,
          name: "Mixed",
          yaml: definition("source"),
          retry_delay: 1
        })
        const python2 = yield* Python.make(installation, { number: 1 })
        const { executions } = yield* python2.crawl(pipelineId, vaultId, "discover", [[Tasks.item("busy")]])
        const engine = yield* Emulators.engine(installation, processOnly, [busy, finds()])
        yield* Deferred.await(tried)
        yield* engine.stop
        const [execution] = yield* Effect.forEach(executions, python.execution)
        assert.deepInclude(execution, { status: "pending", source_worker_id: "InputSourceWorker-1" })
        accepted(VaultExecution, [execution])

        const received = yield* eventually(
          "the message is visible again",
          python.receive(),
          (messages) => messages.length === 1
        )
        const [message] = received
        const task = Either.getOrThrow(Python.parse(message?.messageText ?? ""))
        assert.isAtLeast(task.retry_count ?? 0, 1)
        for (const each of received) yield* python.process(each, (items) => Either.right(items))
        const [ended] = yield* Effect.forEach(executions, python.execution)
        assert.strictEqual(ended?.["status"], "completed")
        accepted(VaultExecution, [ended])
        assert.strictEqual(yield* Emulators.depth(installation.tasks), 0)
      })
    )

    for (const keeps of [true, false]) {
      it.scoped(`we run what they discovered, and only what still needs it (save_execution_output: ${keeps})`, () =>
        Effect.gen(function* () {
          const { installation, python } = yield* fleets(`mixed-forms-${keeps}`, { visibilitySeconds: 1 })
          yield* installation.documents.vaults.upsert({
            id: vaultId,
            pipeline_id: pipelineId,
            enabled: true,
            save_execution_output: keeps
          })
          const names = ["pending", "running", "again", "list", "single", "failed"]
          const crawl = yield* python.crawl(
            pipelineId,
            vaultId,
            "discover",
            names.map((name) => [Tasks.item(name)])
          )
          const crawlFailed = yield* python.crawlFailed(pipelineId, vaultId)
          const id = (name: string) => crawl.executions[names.indexOf(name)] ?? ""
          const taskOf = (name: string): Python.Task => ({
            task_id: "",
            pipeline_id: pipelineId,
            pipeline_name: pipelineId,
            execution_id: id(name),
            vault_id: vaultId,
            content: []
          })
          // It died over this one, or its lease ended while it runs (D3).
          yield* python.updateStatus(id("running"), "running")
          // The same, after an attempt whose error is still there (D10).
          yield* python.updateStatus(id("again"), "failed", "an error of before")
          yield* python.updateStatus(id("again"), "running")
          // It was done with these, but the late delete failed.
          for (const name of ["list", "single"]) {
            yield* python.updateStatus(id(name), "running")
            yield* python.updateStatus(id(name), "completed")
          }
          yield* python.saveOutput(taskOf("list"), [Tasks.item("list"), Tasks.item("list")])
          yield* python.saveOutput(taskOf("single"), Tasks.item("single"))
          // A definition that can't be built: its message is kept, and comes again for ever (D5).
          yield* python.updateStatus(id("failed"), "failed", "Unknown executor type")
          // Somebody's own property, on a document that we change.
          const pending = yield* python.execution(id("pending"))
          yield* installation.documents.executions.upsert({ ...pending, reviewed_by: { name: "Ann" } })

          const before = yield* Effect.forEach(["list", "single", "failed"], (name) => python.execution(id(name)))
          const store = ExecutionDocuments.make(installation.documents.executions)
          for (const each of [...crawl.executions, crawl.nothing, crawlFailed]) {
            assert.isTrue(Option.isSome(yield* store.find(ExecutionId.make(each))), each)
          }

          const runs: Array<string> = []
          const worker = work((name) => Effect.sync(() => void runs.push(name.slice(name.lastIndexOf("/") + 1))))
          yield* Emulators.engine(installation, processOnly, [worker, finds()])
          yield* queueIsEmpty(installation)
          assert.sameMembers(runs, ["pending", "running", "again"])
          for (const name of ["pending", "running", "again"]) {
            const execution = yield* python.execution(id(name))
            const { executor_logs: _, ...item } = Tasks.item(name)
            assert.deepInclude(execution, { status: "completed", error: null, number_of_items: 1 })
            const [content = {}] = execution["content"] as ReadonlyArray<Record<string, unknown>>
            assert.deepInclude(content, keeps ? item : { id: item.id })
            accepted(VaultExecution, [execution])
          }
          assert.deepStrictEqual((yield* python.execution(id("pending")))["reviewed_by"], { name: "Ann" })
          assert.deepStrictEqual(
            yield* Effect.forEach(["list", "single", "failed"], (name) => python.execution(id(name))),
            before,
            "what is done is left as it is"
          )
          const [poisoned, ...others] = yield* Emulators.visible(installation.poison)
          assert.isEmpty(others)
          assert.include(poisoned?.messageText ?? "", "Unknown executor type")
        })
      )
    }

    it.scoped("an execution that they finish while we run it stays theirs", () =>
      Effect.gen(function* () {
        const { installation, python } = yield* fleets("mixed-race", { visibilitySeconds: 1 })
        const { executions } = yield* python.crawl(pipelineId, vaultId, "discover", [[Tasks.item("slow")]])
        const [id = ""] = executions
        const [message] = yield* python.receive(1)
        assert.isDefined(message)
        if (message === undefined) return
        yield* python.updateStatus(id, "running")
        const running = yield* Deferred.make<void>()
        const gate = yield* Deferred.make<void>()
        const slow = work(() => Effect.zipRight(Deferred.succeed(running, undefined), Deferred.await(gate)))
        yield* Emulators.engine(installation, processOnly, [slow, finds()])
        yield* Deferred.await(running)
        // Their lease has ended long ago; they go on all the same.
        yield* python.updateStatus(id, "completed")
        yield* python.saveOutput(Either.getOrThrow(Python.parse(message.messageText)), [
          Tasks.item("slow", { by: "them" })
        ])
        assert.isFalse(yield* python.remove(message), "our lease keeps the message")
        yield* Deferred.succeed(gate, undefined)
        yield* queueIsEmpty(installation)
        const execution = yield* python.execution(id)
        assert.deepInclude(execution, { status: "completed", processing_worker_id: "ContentProcessingWorker-0" })
        assert.deepStrictEqual(execution["content"], [Tasks.item("slow", { by: "them" })])
        accepted(VaultExecution, [execution])
        assert.isEmpty(yield* Effect.catchAllCause(Emulators.visible(installation.poison), () => Effect.succeed([])))
      })
    )

    it.scoped("we wait for their lock, take over a stale one, and they get it back", () =>
      Effect.gen(function* () {
        const { installation, python } = yield* fleets("mixed-their-lock")
        const server = yield* CosmosServer
        assert.isTrue(yield* python.acquireLock(pipelineId, vaultId))
        const engine = yield* Emulators.engine(installation, crawlOnly, [idle, finds("a")])
        const refusals = Effect.sync(
          () => server.log.filter((line) => /^POST \/dbs\/mixed-their-lock\/.*exec_locks\/docs 409$/.test(line)).length
        )
        yield* eventually("we have tried twice to get the lock", refusals, (count) => count >= 2)
        assert.isEmpty(yield* executionsOf(installation))
        assert.deepInclude(yield* lockOf(installation), { worker_id: python.sourceWorker })
        yield* python.releaseLock(pipelineId)
        yield* allSent(installation, 1)
        yield* engine.stop
        assert.isNull(yield* lockOf(installation))

        // A worker that dies at once. Its lock's ttl is not ours.
        const dead = yield* Python.make(installation, { lockTtlSeconds: 2 })
        assert.isTrue(yield* dead.acquireLock(pipelineId, vaultId))
        yield* installation.documents.vaults.upsert({ id: "second", pipeline_id: pipelineId, enabled: true })
        const next = yield* Emulators.engine(installation, { ...crawlOnly, lockTtl: Duration.seconds(900) }, [
          idle,
          finds("a")
        ])
        yield* allSent(installation, 2)
        yield* next.stop
        assert.isNull(yield* lockOf(installation))
        assert.isTrue(yield* python.acquireLock(pipelineId, vaultId))
      })
    )

    it.scoped("they respect our lock while it is renewed, and take over a stale one", () =>
      Effect.gen(function* () {
        const ttl = 15
        const { installation, python } = yield* fleets("mixed-our-lock", { lockTtlSeconds: ttl })
        const interrupted = yield* Deferred.make<void>()
        let crawls = 0
        const slow = source(() =>
          ++crawls > 1
            ? Stream.make(found(["b"]))
            : Stream.concat(
                Stream.make(found(["a"])),
                Stream.fromEffect(Effect.onInterrupt(Effect.never, () => Deferred.succeed(interrupted, undefined)))
              )
        )
        yield* Emulators.engine(installation, { ...crawlOnly, lockTtl: Duration.seconds(ttl) }, [idle, slow])
        yield* allSent(installation, 1)
        const first = yield* lockOf(installation)
        accepted(
          Schema.Struct({
            id: Schema.Literal(lockId),
            pipeline_id: Schema.Literal(pipelineId),
            vault_id: Schema.String,
            worker_id: Schema.String,
            locked_at: Moment,
            ttl: Schema.Literal(ttl)
          }),
          [first]
        )
        yield* python.releaseLock(pipelineId)
        assert.isNotNull(yield* lockOf(installation), "their release knows that it is not theirs")
        const at = (moment: unknown) =>
          Python.make(installation, {
            lockTtlSeconds: ttl,
            now: Effect.succeed(Date.parse(String(moment)) + ttl * 1000 + 1)
          })
        yield* renewedAfter(installation, first?.["locked_at"])
        const early = yield* at(first?.["locked_at"])
        assert.isFalse(yield* early.acquireLock(pipelineId, vaultId), "the renewal moved locked_at")

        // They see it as stale, as after a pause of our process: it is theirs, and our crawl stops without moving anything.
        const taking = Effect.gen(function* () {
          const late = yield* at((yield* lockOf(installation))?.["locked_at"])
          return { late, taken: yield* late.acquireLock(pipelineId, vaultId) }
        })
        const { late } = yield* eventually("they take the lock", taking, ({ taken }) => taken)
        yield* eventually("our crawl is interrupted", Deferred.isDone(interrupted), (done) => done)
        const lock = yield* lockOf(installation)
        assert.deepInclude(lock, { worker_id: python.sourceWorker, ttl })
        assert.notProperty(lock, "instance")
        assert.deepInclude(yield* checkpointOf(installation, ours), {
          checkpoint_timestamp: null,
          crawling: true
        })
        assert.strictEqual(crawls, 1)
        // When they are done, we go on.
        yield* late.releaseLock(pipelineId)
        yield* allSent(installation, 2)
        accepted(VaultExecution, yield* executionsOf(installation))
      })
    )

    it.scoped("each fleet goes on from its checkpoint, ours first from theirs", () =>
      Effect.gen(function* () {
        const { installation, python } = yield* fleets("mixed-checkpoint")
        const theirs = yield* python.crawl(pipelineId, vaultId, "discover", [])
        const looked: Array<number | null> = []
        const looking = source((checkpoint) =>
          Stream.suspend(() => {
            looked.push(Option.getOrNull(checkpoint))
            return Stream.make(found([]))
          })
        )
        yield* Emulators.engine(installation, crawlOnly, [idle, looking])
        yield* eventually("we have crawled", checkpointOf(installation, ours), (now) => now["crawling"] === false)
        // Their listing may have missed what was written in the second in which it began.
        assert.deepStrictEqual(looked, [Math.floor(Date.parse(theirs.startedAt) / 1_000) * 1_000 - 1])
        assert.deepStrictEqual(
          yield* python.readCheckpoint(pipelineId, "discover"),
          Option.some(theirs.startedAt),
          "ours did not touch theirs"
        )
        const saved = yield* checkpointOf(installation, ours)
        assert.strictEqual(saved["checkpoint_timestamp"], "2026-01-02T10:00:00+00:00")
        yield* python.crawl(pipelineId, vaultId, "discover", [])
        assert.deepStrictEqual(yield* checkpointOf(installation, ours), saved, "theirs did not touch ours")
        const shown = yield* installation.documents.checkpoints.where({ vault_id: vaultId })
        assert.lengthOf(shown, 2)
        accepted(VaultCrawlCheckpoint, shown)
      })
    )
  })
})
