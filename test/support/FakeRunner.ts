import { Context, Duration, Effect, Either, Layer, Option, Stream } from "effect"
import type { Content } from "../../src/domain/Content.ts"
import { ExecutorId } from "../../src/domain/Ids.ts"
import type { CrawlBatch, CrawlOptions } from "../../src/executor/Executor.ts"
import { ExecutorError } from "../../src/executor/Executor.ts"
import type { RunFacts } from "../../src/executor/RunFacts.ts"
import type { Plan } from "../../src/pipeline/Plan.ts"
import {
  type InputExecutor,
  PipelineInvalid,
  PipelineRunner,
  type RunFailure,
  type RunResult
} from "../../src/pipeline/PipelineRunner.ts"

/** What a fake pipeline does with the items of one run. */
export type Work = (
  items: ReadonlyArray<Content>,
  facts?: RunFacts
) => Effect.Effect<ReadonlyArray<Content>, ExecutorError>

/** Knobs of a runner that knows no YAML: the engine's tests say what a run and a crawl do. */
export class FakeRunner extends Context.Tag("test/FakeRunner")<
  FakeRunner,
  {
    work: Work
    /** Set: every pipeline is invalid, for this reason. */
    invalid: string | null
    crawl: (
      checkpoint: Option.Option<number>,
      continuation: Option.Option<string>,
      isWaiting?: (name: string) => boolean,
      options?: CrawlOptions
    ) => Stream.Stream<CrawlBatch, ExecutorError>
    input: Partial<Pick<InputExecutor, "id" | "enabled" | "itemsPerTask">> & { interval?: Duration.Duration }
    /** False: no executor of the pipelines can crawl. */
    hasInput: boolean
    /** The output nodes of every pipeline. */
    outputs: Plan["outputs"]
    runs: number
    crawls: Array<Option.Option<number>>
    /** The texts of the pipelines that were compiled for a run. */
    compiled: Array<string>
  }
>() {}

export const inputId = ExecutorId.make("discover-1")

export const executorError = (
  reason: ExecutorError["reason"],
  message: string,
  retryAfterMillis: number | null = null
) => new ExecutorError({ reason, executorId: "step", itemId: "doc", message, retryAfterMillis })

const node = (itemsIn: number, itemsOut: number, error: string | null) => ({
  executorId: "step",
  type: "fake",
  status: error === null ? ("completed" as const) : ("failed" as const),
  startedAt: 0,
  endedAt: 0,
  itemsIn,
  itemsOut,
  itemsFailed: 0,
  error
})

export const layer: Layer.Layer<FakeRunner | PipelineRunner> = Layer.effectContext(
  Effect.sync(() => {
    const knobs = FakeRunner.of({
      work: (items) => Effect.succeed(items),
      invalid: null,
      crawl: () => Stream.make({ documents: [], servedAt: 0 }),
      input: {},
      hasInput: true,
      outputs: [],
      runs: 0,
      crawls: [],
      compiled: []
    })
    const check = Effect.suspend(() =>
      knobs.invalid === null
        ? Effect.void
        : Effect.fail(new PipelineInvalid({ pipeline: "fake", message: knobs.invalid }))
    )
    const input = (): InputExecutor => ({
      id: knobs.input.id ?? inputId,
      type: "fake_input",
      enabled: knobs.input.enabled ?? true,
      pollingInterval: Option.fromNullable(knobs.input.interval),
      itemsPerTask: knobs.input.itemsPerTask ?? 1,
      prepared: () =>
        Effect.succeed({
          process: Effect.succeed,
          crawl: (checkpoint, continuation = Option.none(), isWaiting, options) => {
            knobs.crawls.push(checkpoint)
            return knobs.crawl(checkpoint, continuation, isWaiting, options)
          }
        })
    })
    const runner = PipelineRunner.of({
      check: () => Effect.dieMessage("the engine compiles"),
      compile: ({ pipeline }) =>
        Effect.zipRight(
          Effect.sync(() => knobs.compiled.push(pipeline.yaml)),
          Effect.as(check, { outputs: knobs.outputs } as Plan)
        ),
      withChildren: Effect.succeed,
      inputExecutor: () => Effect.map(check, () => (knobs.hasInput ? Option.some(input()) : Option.none())),
      run: (_, items, { facts }) =>
        Effect.suspend(() => {
          knobs.runs++
          return Effect.map(Effect.either(knobs.work(items, facts)), (result) =>
            Either.mapBoth(result, {
              onLeft: (error): RunFailure => ({
                _tag: "RunFailure",
                error,
                nodes: [node(items.length, 0, error.message)]
              }),
              onRight: (output): RunResult => ({ items: output, nodes: [node(items.length, output.length, null)] })
            })
          )
        }).pipe(Effect.flatten)
    })
    return Context.make(FakeRunner, knobs).pipe(Context.add(PipelineRunner, runner))
  })
)
