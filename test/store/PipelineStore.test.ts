import { backends } from "./Backends.ts"
import { suite } from "../../src/testing/suites/PipelineStoreSuite.ts"

for (const [name, layer] of backends) suite(name, layer)
