import { it } from "@effect/vitest"
import { Effect, Scope } from "effect"
import { Unavailable } from "../../src/domain/ServiceError.ts"
import { MemoryQueue } from "../../src/queue/MemoryQueue.ts"
import * as Engine from "./MemoryEngine.ts"

export const unavailable = new Unavailable({ service: "Cosmos DB", operation: "patch", message: "the store is away" })

/** A test over a fresh installation with one vault and one pipeline. */
export const test = (name: string, body: () => Effect.Effect<void, unknown, Engine.Installation | Scope.Scope>) =>
  it.effect(name, () => Engine.withInstallation(body()))

export const parsedPoison = Effect.map(
  Effect.flatMap(MemoryQueue, (queue) => queue.poison),
  (bodies) => bodies.map((body) => JSON.parse(body) as { reason: string; body?: string; body_reference?: unknown })
)

export const queued = Effect.map(
  Effect.flatMap(MemoryQueue, (queue) => queue.bodies),
  (bodies) => bodies.map((body) => JSON.parse(body).payload as Record<string, unknown>)
)
