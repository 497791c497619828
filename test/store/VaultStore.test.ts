import { backends } from "./Backends.ts"
import { suite } from "./VaultStoreSuite.ts"

for (const [name, layer] of backends) suite(name, layer)
