import { backends } from "./Backends.ts"
import { suite } from "./CrawlLockSuite.ts"

for (const [name, layer] of backends) suite(name, layer)
