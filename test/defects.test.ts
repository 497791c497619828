import { describe, layer } from "@effect/vitest"
import { discovery } from "./defects/Discovery.ts"
import { graphs } from "./defects/Graph.ts"
import { operations } from "./defects/Operations.ts"
import { queueAndTasks } from "./defects/QueueAndTasks.ts"
import * as Stack from "./defects/Stack.ts"

// The defects of the original by their numbers in src/domain/README.md, and what this worker does instead.
describe("Defects of the original", () => {
  layer(Stack.layer, { excludeTestServices: true })((it) => {
    queueAndTasks(it)
    discovery(it)
    graphs(it)
    operations(it)
  })
})
