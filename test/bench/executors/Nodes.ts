import * as NodeContext from "@effect/platform-node/NodeContext"
import { Context, Effect, Either, Layer, Option, type Scope } from "effect"
import * as AzureWorker from "../../../src/AzureWorker.ts"
import * as Credentials from "../../../src/azure/Credentials.ts"
import * as LazyBlobs from "../../../src/cli/run/LazyBlobs.ts"
import * as LocalSettings from "../../../src/cli/run/LocalSettings.ts"
import { AzureConfig } from "../../../src/azure/AzureConfig.ts"
import { WorkerConfig } from "../../../src/config/WorkerConfig.ts"
import { withRoots } from "../../support/LocalFiles.ts"
import type { Content } from "../../../src/domain/Content.ts"
import { ExecutorId } from "../../../src/domain/Ids.ts"
import * as Builtins from "../../../src/executors/Builtins.ts"
import { Catalog } from "../../../src/executor/Catalog.ts"
import type { ExecutorInstance } from "../../../src/executor/Executor.ts"
import * as ThreadPool from "../../../src/threads/ThreadPool.ts"

/** Builds a node of this type. A document that it can't read fails it. */
export type Nodes = (
  type: string,
  settings?: Readonly<Record<string, unknown>>
) => Effect.Effect<ExecutorInstance["process"], never, Scope.Scope>

const from = (catalog: Catalog["Type"]): Nodes =>
  Effect.fnUntraced(function* (type, settings = {}) {
    const executor = Option.getOrThrow(catalog.find(type))
    const prepared = Either.getOrThrowWith(executor.prepare(settings), (problems) => new Error(problems[0]?.message))
    const instance = yield* prepared({ id: ExecutorId.make("bench"), pipelineName: "bench", failOnError: true })
    return (items: ReadonlyArray<Content>) => withRoots()(instance.process(items))
  }, Effect.orDie)

const nodesOf = <E, R>(catalog: Layer.Layer<Catalog, E, R>) =>
  Effect.map(Effect.orDie(Layer.build(catalog)), (context) => from(Context.get(context, Catalog)))

const services = LazyBlobs.layer.pipe(
  Layer.provideMerge(Credentials.layer),
  Layer.provideMerge(NodeContext.layer),
  Layer.provideMerge(Layer.succeed(AzureConfig, LocalSettings.defaults.azure))
)

/** The worker's own catalog with so many threads (EXECUTOR_THREADS); they end with the scope. */
export const withThreads = (executorThreads: number): Effect.Effect<Nodes, never, Scope.Scope> =>
  nodesOf(
    AzureWorker.catalog.pipe(
      Layer.provide(services),
      Layer.provide(Layer.succeed(WorkerConfig, { ...LocalSettings.defaults.engine, executorThreads }))
    )
  )

/** The same without threads: what the way to a thread and back costs is the difference. */
export const onCallingThread: Effect.Effect<Nodes, never, Scope.Scope> = nodesOf(
  Builtins.layer.pipe(
    Layer.provide(services),
    Layer.provide(ThreadPool.layerInline),
    Layer.provide(Layer.succeed(WorkerConfig, LocalSettings.defaults.engine))
  )
)
