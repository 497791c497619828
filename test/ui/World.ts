import { HttpServer } from "@effect/platform"
import { Context, Duration, Effect, Layer, Redacted, Stream } from "effect"
import type { AccessSettings } from "../../src/config/AccessConfig.ts"
import * as Executor from "../../src/executor/Executor.ts"
import * as Usage from "../../src/executor/Usage.ts"
import * as WorkerHttp from "../../src/http/HttpServer.ts"
import * as Heartbeat from "../../src/operations/Heartbeat.ts"
import * as OperationRunner from "../../src/operations/OperationRunner.ts"
import * as Operations from "../../src/operations/Operations.ts"
import { MemoryStores } from "../../src/store/MemoryStores.ts"
import * as MemoryEngine from "../../src/testing/MemoryEngine.ts"
import * as Engine from "../support/MemoryEngine.ts"

export const operator = "an operator's token"
export const reader = "a reader's token of ours"

/** The token that `serve` prints. */
export const once = "a token of one use"

/** A name that would run a script where it was taken for one. */
export const evil = `<img src=x onerror="document.title='taken over'">`

export const access: AccessSettings = {
  operatorToken: Redacted.make(operator),
  readerToken: Redacted.make(reader),
  issuer: null,
  local: Redacted.make(once)
}

/** Documents that a test holds up. */
export const held = new Map<string, Promise<void>>()

/** Documents that were broken, and are no longer. */
export const healed = new Set<string>()

/** What is in the folder that the second vault looks into. */
export const scans = new Set<string>()

/** How often each document was stored. */
export const stored = new Map<string, number>()

const isBroken = (name: string): boolean => name.includes("broken") && !healed.has(name)

const executor = (type: string, process: Executor.ExecutorInstance["process"]) =>
  Executor.define({
    type,
    category: "transform",
    name: type,
    description: "Of the tests.",
    settings: {},
    make: () => Effect.succeed({ process })
  })

export const executors = [
  executor("read", (items) =>
    Effect.as(
      Effect.forEach(items, ({ id }) =>
        Effect.promise((signal) => {
          const waiting = held.get(id?.canonical_id ?? "") ?? Promise.resolve()
          const stopped = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()))
          return Promise.race([waiting, stopped])
        })
      ),
      items
    )
  ),
  Executor.define({
    type: "judge",
    category: "analyse",
    name: "judge",
    description: "Uses a model, and refuses some documents.",
    settings: {},
    make: (_, context) =>
      Effect.succeed({
        process: (items) =>
          Effect.suspend(() => {
            context.meter?.add({
              ...Usage.none,
              model: "gpt-4.1",
              deployment: "main",
              calls: 1,
              inputTokens: 1_200,
              outputTokens: 80,
              cost: 0.0042
            })
            const refused = items.find(({ id }) => isBroken(id?.canonical_id ?? ""))
            return refused === undefined
              ? Effect.succeed(items)
              : Effect.fail(
                  Executor.documentError(context, refused, `Page 3 of ${refused.id?.canonical_id ?? ""} can't be read`)
                )
          })
      })
  }),
  executor("store", (items) =>
    Effect.sync(() => {
      for (const { id } of items) {
        const name = id?.canonical_id ?? ""
        stored.set(name, (stored.get(name) ?? 0) + 1)
      }
      return items
    })
  ),
  executor("index", Effect.succeed),
  Executor.define({
    type: "list",
    category: "input",
    name: "list",
    description: "Finds scans.",
    canCrawl: true,
    settings: {},
    make: () =>
      Effect.succeed({
        process: Effect.succeed,
        crawl: () =>
          Stream.sync(() => ({
            servedAt: Date.now(),
            documents: [...scans].map((name) => ({ item: Engine.item(name), version: "1" }))
          }))
      })
  })
]

export const listing = `
name: Scans
executors:
  - {id: list, type: list, settings: {polling_interval_seconds: 3600}}
  - {id: read, type: read}
  - {id: judge, type: judge}
  - {id: store, type: store}
edges:
  - {from: list, to: read}
  - {from: read, to: [{target: judge, condition: "output.kind == 'invoice'"}, {target: store, condition: default}]}
`

export const yaml = `
name: Line
executors:
  - {id: read, type: read}
  - {id: judge, type: judge}
  - {id: store, type: store}
  - {id: index, type: index}
edges:
  - {from: read, to: judge}
  - {from: judge, to: [store, index], type: parallel}
`

export const failed = (number: number, more: Record<string, unknown> = {}) =>
  Effect.flatMap(MemoryStores, ({ executions }) =>
    executions.upsert({
      ...Engine.execution(number),
      status: "failed",
      error: "The file is cut short",
      content: [{ id: Engine.item(`contracts/lease-${number}.pdf`).id }],
      created_at: new Date(Date.now() - 3_600_000 - number * 1_000).toISOString(),
      started_at: new Date(Date.now() - 3_600_000 - number * 1_000).toISOString(),
      completed_at: new Date(Date.now() - 3_590_000 - number * 1_000).toISOString(),
      ...more
    })
  )

/** The address of a server whose engine runs by the clock of the wall. */
export class World extends Context.Tag("test/World")<World, { readonly url: string }>() {}

const ports = Layer.provideMerge(MemoryEngine.runner(executors), MemoryEngine.ports)

const serving = Layer.scoped(
  World,
  Effect.gen(function* () {
    const { pipelines, vaults } = yield* MemoryStores
    yield* pipelines.upsert({ ...Engine.pipeline, yaml })
    yield* vaults.upsert({ ...Engine.vault, name: "Contracts" })
    yield* pipelines.upsert({ id: "scans", name: "Scans", yaml: listing, enabled: true })
    yield* vaults.upsert({ id: "vault-2", name: "Scans", pipeline_id: "scans", enabled: true })
    const engine = MemoryEngine.engine({
      processingWorkers: 4,
      sourceWorkers: 1,
      schedulerInterval: Duration.seconds(1)
    })
    const server = yield* Layer.build(
      Layer.merge(
        WorkerHttp.layerAt("127.0.0.1", 0, access),
        Layer.provide(Layer.merge(OperationRunner.layer, Heartbeat.layer("0.2.0")), Operations.layer)
      ).pipe(Layer.provide(engine))
    )
    const { address } = Context.get(server, HttpServer.HttpServer)
    return { url: address._tag === "TcpAddress" ? `http://127.0.0.1:${address.port}` : "" }
  })
)

export const layer = serving.pipe(Layer.provideMerge(ports), Layer.orDie)
