import { backends } from "./Backends.ts"
import { suite } from "../../src/testing/suites/ExecutionStoreSuite.ts"

for (const [name, layer] of backends) suite(name, layer)
