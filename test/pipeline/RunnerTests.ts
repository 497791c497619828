import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import type { Content } from "../../src/domain/Content.ts"
import * as PipelineRunner from "../../src/pipeline/PipelineRunner.ts"
import * as Harness from "./Harness.ts"

export type Json = Readonly<Record<string, unknown>>

export const node = (id: string, type: string, settings: Json = {}): Json => ({ id, type, settings })

export const line = (...executors: ReadonlyArray<Json>): Json => ({
  name: "p",
  executors,
  execution_sequence: executors.map(({ id }) => id)
})

export const [a, b, c, d] = [
  Harness.item("A", { kind: "x", n: 1 }),
  Harness.item("B", { kind: "y", n: 2 }),
  Harness.item("C", { kind: "x", n: 3 }),
  Harness.item("D", { kind: "y", n: 4 })
]

export const failureOf = (definition: Json, items: ReadonlyArray<Content> = [a, b]) =>
  Effect.flatMap(Effect.flip(Harness.run(definition, items)), (failure) =>
    failure._tag === "RunFailure" ? Effect.succeed(failure) : Effect.dieMessage(failure.message)
  )

export const statuses = (nodes: ReadonlyArray<PipelineRunner.NodeReport>) =>
  nodes.map(({ executorId, status }) => `${executorId} ${status}`)

/** Lets the other fibers run until they all wait. */
export const settle = Effect.repeatN(Effect.yieldNow(), 50)

export const later = (seconds: number) => Effect.zipRight(settle, TestClock.adjust(Duration.seconds(seconds)))
