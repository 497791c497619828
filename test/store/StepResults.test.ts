import { Effect, Layer } from "effect"
import * as StepResults from "../../src/store/StepResults.ts"
import { stepResultsSuite } from "./StepResultsSuite.ts"

const texts = new Map<string, string>()

stepResultsSuite("memory", {
  make: (limits) => Effect.sync(() => StepResults.makeMemory(limits, texts)),
  layer: Layer.empty
})
