import { backends } from "./Backends.ts"
import { suite } from "./PipelineStoreSuite.ts"

for (const [name, layer] of backends) suite(name, layer)
