import { backends } from "./Backends.ts"
import { suite } from "./ExecutionStoreSuite.ts"

for (const [name, layer] of backends) suite(name, layer)
