import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as WorkerConfig from "../../src/config/WorkerConfig.ts"
import type { Content } from "../../src/domain/Content.ts"
import { PipelineId } from "../../src/domain/Ids.ts"
import * as Timestamp from "../../src/domain/Timestamp.ts"
import * as Catalog from "../../src/executor/Catalog.ts"
import * as PassThrough from "../../src/executors/control/PassThrough.ts"
import * as FanInAggregator from "../../src/executors/transform/FanInAggregator.ts"
import * as Definition from "../../src/pipeline/Definition.ts"
import * as PipelineRunner from "../../src/pipeline/PipelineRunner.ts"
import type { Plan } from "../../src/pipeline/Plan.ts"
import { PipelineStore } from "../../src/store/PipelineStore.ts"

/**
 * What the runner costs over `pass_through`, against plain async functions that write the same log entries. Prints one line a measurement, in processor time.
 */
const main = async (print: (line: string) => void): Promise<void> => {
  await Effect.runPromise(Effect.provide(all(print), layer))
}

const layer = PipelineRunner.layer.pipe(
  Layer.provide(
    Layer.succeed(
      PipelineStore,
      PipelineStore.of({
        find: () => Effect.succeed(Option.none()),
        findByName: () => Effect.succeed(Option.none()),
        all: Effect.succeed([])
      })
    )
  ),
  Layer.provide(Layer.succeed(Catalog.Catalog, Catalog.make([PassThrough.executor, FanInAggregator.executor]))),
  Layer.provide(WorkerConfig.layerWith({}))
)

const item: Content = {
  id: {
    canonical_id: "doc",
    unique_id: "doc",
    source_name: null,
    source_type: null,
    container: null,
    path: null,
    filename: null,
    metadata: null
  },
  summary_data: {},
  data: {},
  executor_logs: []
}

type Edge = Readonly<Record<string, unknown>>

const versioned = (ids: ReadonlyArray<string>, edges: ReadonlyArray<Edge>, join?: string) => ({
  pipeline: {
    id: PipelineId.make(`bench-${ids.length}-${edges.length}`),
    name: "bench",
    yaml: JSON.stringify({
      pipeline: {
        name: "bench",
        executors: ids.map((id) => ({ id, type: id === join ? "fan_in_aggregator" : "pass_through" })),
        edges
      }
    }),
    enabled: true,
    retries: null,
    retry_delay: null,
    timeout: null
  },
  etag: "1"
})

const names = (count: number, prefix: string): ReadonlyArray<string> =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`)

const line = (ids: ReadonlyArray<string>): ReadonlyArray<Edge> =>
  ids.slice(1).map((to, index) => ({ from: ids[index], to }))

/** Ten branches of ten nodes each between a start and an aggregator. */
const fan = () => {
  const branches = names(10, "b").map((branch) => names(10, `${branch}n`))
  const edges = [
    { from: "start", to: branches.map(([first]) => first), type: "parallel" },
    ...branches.flatMap(line),
    { from: branches.map((branch) => branch.at(-1)), to: "join", type: "join" }
  ]
  return versioned(["start", ...branches.flat(), "join"], edges, "join")
}

const all = (print: (line: string) => void) =>
  Effect.gen(function* () {
    const runner = yield* PipelineRunner.PipelineRunner
    const run = (plan: Plan) => runner.run(plan, [item], { exclude: null })

    for (const count of [1_250, 2_500, 5_000, 10_000]) {
      const ids = names(count, "n")
      const middle = ids.slice(1, -1)
      const edges = [
        { from: ids[0], to: middle, type: "parallel" },
        { from: middle, to: ids.at(-1), type: "join" }
      ]
      const pipeline = versioned(ids, edges)
      yield* Effect.repeatN(runner.check(pipeline), 2)
      const [reading] = yield* timed(Effect.sync(() => Definition.check(pipeline.pipeline.yaml)))
      const [whole, { problems }] = yield* timed(runner.check(pipeline))
      const shares = `${reading.toFixed(0)} ms to read the YAML, ${(whole - reading).toFixed(0)} ms to compile`
      print(`${count} nodes, ${2 * count - 4} edges: ${shares} (${problems.length} problems)`)
    }

    const ten = yield* runner.compile(versioned(names(10, "n"), line(names(10, "n"))))
    yield* measure(print, "line of 10, Effect", 20_000, 10, run(ten))
    yield* measure(
      print,
      "line of 10, async ",
      20_000,
      10,
      Effect.promise(() => plainLine(names(10, "n"), item))
    )
    const cross = yield* runner.compile(fan())
    yield* measure(print, "10 x 10 fan, Effect", 2_000, 102, run(cross))
    yield* measure(print, "10 x 10 fan, async ", 2_000, 102, Effect.promise(plainFan))
    const parallel = Effect.flatMap(
      Effect.forEach(names(100, ""), () => Effect.fork(run(ten))),
      (fibers) => Effect.forEach(fibers, Fiber.await, { discard: true })
    )
    yield* measure(print, "100 lines at once, Effect", 200, 1_000, parallel)
    const plain = Effect.promise(() => Promise.all(names(100, "").map(() => plainLine(names(10, "n"), item))))
    yield* measure(print, "100 lines at once, async ", 200, 1_000, plain)
  })

const timed = <A, E>(effect: Effect.Effect<A, E>) =>
  Effect.gen(function* () {
    const start = yield* now
    const result = yield* effect
    return [(yield* now) - start, result] as const
  })

/** Milliseconds of processor time: what else the machine does must not count. */
const now = Effect.sync(() => {
  const { system, user } = process.cpuUsage()
  return (system + user) / 1000
})

const measure = <A, E>(
  print: (line: string) => void,
  name: string,
  times: number,
  nodes: number,
  effect: Effect.Effect<A, E>
) =>
  Effect.gen(function* () {
    yield* Effect.repeatN(effect, Math.ceil(times / 10))
    const [took] = yield* timed(Effect.repeatN(effect, times - 1))
    const each = (took * 1000) / times
    print(
      `${name}: ${each.toFixed(1)} us a run, ${(each / nodes).toFixed(2)} us a node, ${Math.round(1e6 / each)} runs/s`
    )
  })

// --- The same work without a runner ---

const plainNode = (id: string, content: Content): Promise<Content> => {
  const start = Timestamp.format(Date.now())
  const entry = {
    executor_id: id,
    start_time: start,
    end_time: Timestamp.format(Date.now()),
    status: "completed",
    details: {},
    errors: []
  }
  return Promise.resolve({
    id: content.id,
    summary_data: content.summary_data,
    data: content.data,
    executor_logs: [...content.executor_logs, entry]
  })
}

const plainLine = async (ids: ReadonlyArray<string>, content: Content): Promise<Content> => {
  let current = content
  for (const id of ids) current = await plainNode(id, current)
  return current
}

const plainFan = async (): Promise<Content> => {
  const start = await plainNode("start", item)
  const results = await Promise.all(names(10, "b").map((branch) => plainLine(names(10, `${branch}n`), start)))
  return { id: item.id, summary_data: {}, data: {}, executor_logs: results.flatMap((each) => each.executor_logs) }
}

await main((text) => process.stdout.write(`${text}\n`))
