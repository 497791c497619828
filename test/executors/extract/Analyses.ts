import * as FileSystem from "@effect/platform/FileSystem"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import type { Executor, ExecutorContext } from "../../../src/executor/Executor.ts"
import * as ContentUnderstanding from "../../../src/services/analysis/ContentUnderstanding.ts"
import type { ServiceClients } from "../../../src/services/ServiceClients.ts"
import type * as ServiceHttp from "../../../src/services/ServiceHttp.ts"
import * as Services from "../../support/Services.ts"
import { item, run } from "./Items.ts"

export type Answer = ServiceHttp.HttpAnswer | ServiceHttp.HttpFailure | "silence"
type Settings = Readonly<Record<string, unknown>>

type Needed = ServiceClients | ContentUnderstanding.ContentUnderstandings | FileSystem.FileSystem
/** `Executor` itself does not let go of its exact requirements. */
type Analysing = Omit<Executor<never>, "prepare"> & { readonly prepare: Executor<Needed>["prepare"] }

/** An operation was accepted, and can be looked at there. */
export const accepted = (location: string): ServiceHttp.HttpAnswer => ({
  status: 202,
  headers: { "operation-location": location, "retry-after": "2" },
  body: new Uint8Array()
})

/** Runs an analysing type on one document against a service that gives these answers in turn. */
export const analyse = (
  executor: Analysing,
  settings: Settings,
  answers: ReadonlyArray<Answer>,
  passing: Duration.DurationInput = "10 minutes",
  context: Partial<ExecutorContext> = {}
) => {
  const whole: Executor<Needed> = executor
  const script = Services.script(...answers)
  const clients = Services.layer(script.layer)
  return Effect.gen(function* () {
    const fiber = yield* Effect.fork(
      run(whole, settings, [item({ content: Buffer.from("%PDF").toString("base64") })], true, context).pipe(
        Effect.provide([ContentUnderstanding.layer.pipe(Layer.provideMerge(clients)), FileSystem.layerNoop({})]),
        Effect.mapBoth({ onFailure: String, onSuccess: ([first]) => first ?? item({}) }),
        Effect.either
      )
    )
    yield* TestClock.adjust(passing)
    const either = yield* Fiber.join(fiber)
    return {
      item: either._tag === "Right" ? either.right : item({}),
      message: either._tag === "Left" ? either.left : "",
      requests: script.requests
    }
  }).pipe(
    Effect.catchAllDefect((defect) =>
      Effect.succeed({ item: item({}), message: String(defect), requests: script.requests })
    )
  )
}
