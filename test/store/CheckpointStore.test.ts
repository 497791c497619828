import { backends } from "./Backends.ts"
import { suite } from "./CheckpointStoreSuite.ts"

for (const [name, layer] of backends) suite(name, layer)
