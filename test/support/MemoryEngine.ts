import { Duration, Effect, Fiber, Layer, Scope } from "effect"
import type { EngineSettings } from "../../src/config/WorkerConfig.ts"
import { TaskQueue } from "../../src/queue/TaskQueue.ts"
import type { MemoryContainer } from "../../src/store/MemoryContainer.ts"
import * as MemoryStores from "../../src/store/MemoryStores.ts"
import * as MemoryEngine from "../../src/testing/MemoryEngine.ts"
import * as VirtualTestClock from "../../src/testing/VirtualTestClock.ts"
import * as FakeRunner from "./FakeRunner.ts"

export { engine } from "../../src/testing/MemoryEngine.ts"

/** Ports in memory with a fake runner: one installation, which any number of engines may share. */
export const ports = Layer.merge(MemoryEngine.ports, FakeRunner.layer)

export const pipeline = {
  id: "line_0123abcd",
  name: "Line",
  yaml: "pipeline: {name: line}",
  enabled: true
}

export const vault = { id: "vault-1", pipeline_id: pipeline.id, enabled: true, save_execution_output: true }

export const item = (id: string, data: Record<string, unknown> = {}) => ({
  id: {
    canonical_id: id,
    unique_id: id,
    source_name: null,
    source_type: null,
    container: null,
    path: null,
    filename: id,
    metadata: null
  },
  summary_data: {},
  data,
  executor_logs: []
})

export const payload = (number: number, more: Record<string, unknown> = {}) => ({
  task_id: `task_${number}`,
  task_type: "content_processing",
  priority: "normal",
  pipeline_id: pipeline.id,
  pipeline_name: pipeline.name,
  execution_id: `exec_${number}`,
  vault_id: vault.id,
  content: [item(`doc-${number}`)],
  executed_input_executor: "discover-1",
  created_at: "2026-01-02T10:30:00.608176+00:00",
  retry_count: 0,
  max_retries: 3,
  ...more
})

export const message = (number: number, more: Record<string, unknown> = {}) =>
  JSON.stringify({ task_type: "content_processing", payload: payload(number, more) })

export const execution = (number: number, more: Record<string, unknown> = {}) => ({
  id: `exec_${number}`,
  pipeline_id: pipeline.id,
  pipeline_name: pipeline.name,
  vault_id: vault.id,
  status: "pending",
  status_message: "Task queued for processing with input content of size 1",
  task_id: `task_${number}`,
  content: [],
  number_of_items: 1,
  created_at: "2026-01-02T10:30:00.608176+00:00",
  error: null,
  executor_outputs: {},
  events: [],
  ...more
})

/** The pipeline and its vault are stored. */
export const install = Effect.gen(function* () {
  const stores = yield* MemoryStores.MemoryStores
  yield* stores.pipelines.upsert(pipeline)
  yield* stores.vaults.upsert(vault)
})

/** Deletes a document, whatever its version. */
export const forget = (container: MemoryContainer, id: string) =>
  Effect.asVoid(container.remove(id, String(container.documents.get(id)?.["_etag"])))

/** Stores the execution and sends the message of task `number`, as a crawl would. */
export const enqueue = (number: number, more: Record<string, unknown> = {}) =>
  Effect.gen(function* () {
    const stores = yield* MemoryStores.MemoryStores
    const queue = yield* TaskQueue
    yield* stores.executions.upsert(execution(number))
    yield* queue.send(message(number, more))
  })

export const executionOf = (number: number) =>
  Effect.map(MemoryStores.MemoryStores, (stores) => stores.executions.documents.get(`exec_${number}`))

/** Lets the engine work until `seconds` have passed; every timer between fires in its turn. */
export const pass = (seconds: number) => MemoryEngine.pass(Duration.seconds(seconds))

export type Installation = Layer.Layer.Success<typeof ports>

/** An engine inside the current scope; its status and stop. */
export const started = (settings: Partial<EngineSettings> = {}) =>
  MemoryEngine.started({ sourceWorkers: 0, ...settings })

/**
 * Runs a test's body over a fresh installation. Its engines stop as they would in a process: time goes on until their grace is over.
 */
export const withInstallation = <E>(body: Effect.Effect<void, E, Installation | Scope.Scope>): Effect.Effect<void, E> =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const exit = yield* Effect.exit(Scope.extend(Effect.zipRight(Effect.orDie(install), body), scope))
    const closing = yield* Effect.fork(Scope.close(scope, exit))
    yield* pass(60)
    yield* Fiber.join(closing)
    yield* exit
  }).pipe(Effect.provide(ports), VirtualTestClock.within())
