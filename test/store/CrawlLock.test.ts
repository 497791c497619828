import { backends } from "./Backends.ts"
import { suite } from "../../src/testing/suites/CrawlLockSuite.ts"

for (const [name, layer] of backends) suite(name, layer)
