import { describe, layer } from "@effect/vitest"
import { queueAndTasks } from "./defects/QueueAndTasks.ts"
import * as Stack from "./defects/Stack.ts"

// The weaknesses of the original that its reference lists, by their numbers, and what this worker does instead.
describe("Defects of the original", () => {
  layer(Stack.layer, { excludeTestServices: true })((it) => {
    queueAndTasks(it)
  })
})
