import type { Vitest } from "@effect/vitest"
import { Context, Duration, Effect, Layer, Logger } from "effect"
import type { Document } from "../../src/store/DocumentContainer.ts"
import type * as WorkerEngine from "../../src/worker/WorkerEngine.ts"
import * as Harness from "../pipeline/Harness.ts"
import * as Emulators from "../../src/testing/Emulators.ts"
import { eventually } from "../../src/testing/Eventually.ts"
import * as Tasks from "../support/Tasks.ts"
import * as Probes from "./Probes.ts"

/** One installation on the emulators and an engine that works in it: every test brings a pipeline, a vault and documents of its own. */
export class Stack extends Context.Tag("test/defects/Stack")<
  Stack,
  {
    readonly installation: Emulators.Installation
    readonly probes: Probes.Probes
    readonly engine: WorkerEngine.WorkerEngine["Type"]
  }
>() {}

/** The failures are on purpose: their warnings would hide what a test says. */
const silent = Logger.remove(Logger.defaultLogger)

/** An engine in the current scope that has the probes and the executors of the graph's own tests. */
export const engine = (
  installation: Emulators.Installation,
  probes: Probes.Probes,
  config: Parameters<typeof Emulators.engine>[1]
) =>
  Emulators.engine(installation, { schedulerInterval: Duration.millis(250), ...config }, [
    ...probes.executors,
    Harness.set,
    Harness.breakingItem,
    Harness.dropping,
    Harness.splitting
  ])

export const layer = Layer.scoped(
  Stack,
  Effect.gen(function* () {
    const installation = yield* Emulators.installation("defects")
    const probes = Probes.make()
    const running = yield* engine(installation, probes, {
      processingWorkers: 4,
      sourceWorkers: 3,
      crawlOverlap: Duration.zero
    })
    return { installation, probes, engine: running }
  })
).pipe(Layer.provideMerge(Layer.mergeAll(Emulators.emulators, silent)))

export type It = Vitest.MethodsNonLive<Stack | Emulators.Emulators, true>

/** An installation of a test's own, without an engine. */
export const alone = (name: string) =>
  Effect.map(Emulators.installation(name), (installation) => ({ installation, probes: Probes.make() }))

// --- Definitions ---

type Json = Readonly<Record<string, unknown>>

export const node = (id: string, type: string, settings: Json = {}): Json => ({ id, type, settings })

/** Executors in a line. */
export const line = (...executors: ReadonlyArray<Json>): string =>
  graph(executors, { execution_sequence: executors.map(({ id }) => id) })

export const graph = (executors: ReadonlyArray<Json>, order: Json): string =>
  JSON.stringify({ pipeline: { name: "graph", executors, ...order } })

/** One probe, which does what the test says. */
export const probing = (of: string): string => line(node("probe", "probe", { of }))

/** A source and a probe behind it; `every` so many seconds. */
export const crawling = (of: string, every = 0.25): string =>
  line(node("source", "probe_source", { of, polling_interval_seconds: every }), node("probe", "probe", { of }))

/** The real discovery of a container and a probe behind it. */
export const listing = (of: string, settings: Json = {}): string =>
  line(
    node("discover", "azure_blob_input_discovery", {
      blob_storage_account: "devstoreaccount1",
      blob_container_name: of,
      polling_interval_seconds: 1,
      ...settings
    }),
    node("probe", "probe", { of })
  )

// --- Tasks and vaults ---

type Installation = Emulators.Installation

export interface Given {
  readonly items?: ReadonlyArray<unknown>
  /** More of the message's payload. */
  readonly payload?: Json
  /** More of the pipeline's document. */
  readonly pipeline?: Json
  /** More of the vault's document; null: there is none. */
  readonly vault?: Json | null
  /** The execution that somebody wrote before. */
  readonly execution?: Json
}

export const vaultOf = (name: string): string => `${name}-vault`
export const executionIdOf = (name: string): string => `exec_${name}`

/** Stores a pipeline and a vault that is not crawled, and queues a task for it. All carry the test's name. */
export const give = ({ documents, tasks }: Installation, name: string, yaml: string, given: Given = {}) =>
  Effect.gen(function* () {
    const { execution, items = [Tasks.item(name)], payload = {}, pipeline = {}, vault = {} } = given
    yield* documents.pipelines.upsert({ id: name, name, yaml, enabled: true, ...pipeline })
    if (vault !== null) {
      const stored = { id: vaultOf(name), pipeline_id: name, enabled: false, save_execution_output: true }
      yield* documents.vaults.upsert({ ...stored, ...vault })
    }
    if (execution !== undefined) {
      const place = { id: executionIdOf(name), pipeline_id: name, pipeline_name: name, vault_id: vaultOf(name) }
      const created = { task_id: `task_${name}`, status: "pending", created_at: "2026-01-02T10:30:00.608176+00:00" }
      yield* documents.executions.upsert({ ...place, ...created, ...execution })
    }
    const text = Tasks.message(name, name, null, { content: items, executed_input_executor: null, ...payload })
    yield* Effect.promise(() => tasks.sendMessage(text))
  }).pipe(Effect.orDie)

/** Registers a vault that keeps its output, and is crawled until its test ends. */
export const watch = (
  installation: Installation,
  name: string,
  yaml: string,
  more: { readonly pipeline?: Json; readonly vault?: Json } = {}
) =>
  Effect.gen(function* () {
    const { pipelines, vaults } = installation.documents
    const vault = { id: vaultOf(name), pipeline_id: name, enabled: true, save_execution_output: true, ...more.vault }
    yield* pipelines.upsert({ id: name, name, yaml, enabled: true, ...more.pipeline })
    yield* Effect.acquireRelease(vaults.upsert(vault), () => Effect.orDie(vaults.upsert({ ...vault, enabled: false })))
  }).pipe(Effect.orDie)

/** The execution as it is stored now; undefined when there is none. */
export const executionOf = ({ documents }: Installation, name: string) =>
  Effect.map(Effect.orDie(documents.executions.read(executionIdOf(name))), (reading) =>
    reading._tag === "Found" ? reading.document : undefined
  )

const isEnded = (execution: Document | undefined) =>
  execution?.["status"] === "completed" || execution?.["status"] === "failed"

/** The execution of the task, once it is completed or failed. */
export const ended = (installation: Installation, name: string) =>
  Effect.map(
    eventually(`the task ${name} has an end`, executionOf(installation, name), isEnded),
    (execution) => execution ?? {}
  )

/** Runs the pipeline over the items as a task; its execution. */
export const ran = (installation: Installation, name: string, yaml: string, given: Given = {}) =>
  Effect.zipRight(give(installation, name, yaml, given), ended(installation, name))

/** All executions of the vault, once so many have an end. */
export const endedOf = (installation: Installation, vaultId: string, count: number) =>
  eventually(
    `${vaultId} has ${count} executions that ended`,
    Emulators.executionsOf(installation, vaultId),
    (all) => all.filter(isEnded).length >= count
  )

/** The letter in the poison queue whose body has this text, and the reason that it tells. */
export const letterWith = ({ poison }: Installation, text: string) =>
  Effect.map(
    eventually(
      `a message with ${text} is in the poison queue`,
      Effect.map(lettersIn(poison), (letters) => letters.find(({ body }) => body.includes(text))),
      (letter) => letter !== undefined
    ),
    (letter) => letter ?? { reason: "", body: "", dequeue_count: 0 }
  )

interface Letter {
  readonly reason: string
  readonly body: string
  readonly dequeue_count: number
}

const lettersIn = (poison: Installation["poison"]) =>
  Effect.promise(async () => {
    if (!(await poison.exists())) return []
    const { peekedMessageItems } = await poison.peekMessages({ numberOfMessages: 32 })
    return peekedMessageItems.map(({ messageText }): Letter => JSON.parse(messageText))
  })

/** Nothing is queued any more, not even invisibly. */
export const drained = ({ tasks }: Installation) =>
  eventually("no message is left", Emulators.depth(tasks), (left) => left === 0)

/** The checkpoints of a vault as they are stored. */
export const checkpointsOf = ({ documents }: Installation, vaultId: string) =>
  Effect.orDie(documents.checkpoints.where({ vault_id: vaultId }))

/** Waits until a source was crawled so often. */
export const crawled = (probes: Probes.Probes, of: string, times: number) =>
  eventually(
    `${of} is crawled ${times} times`,
    Effect.sync(() => probes.crawls(of).length),
    (count) => count >= times
  )

/** The items of an execution whose vault keeps them. */
export const contentOf = (execution: Document): ReadonlyArray<Stored> => execution["content"] as ReadonlyArray<Stored>

export interface Stored {
  readonly id: { readonly unique_id: string; readonly path: string | null }
  readonly data: Json
  readonly executor_logs: ReadonlyArray<{ readonly executor_id: string; readonly status: string }>
}

/** `doc: a/b/c` for each item: its name and the nodes that wrote into its log, failed ones with `!`. */
export const trails = (execution: Document): ReadonlyArray<string> =>
  contentOf(execution).map(({ executor_logs, id }) => {
    const nodes = executor_logs.map(({ executor_id, status }) => `${executor_id}${status === "failed" ? "!" : ""}`)
    return `${id.unique_id}: ${nodes.join("/")}`
  })
