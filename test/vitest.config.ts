import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"
import { BaseSequencer, type TestSpecification } from "vitest/node"

/**
 * Tests over processes mostly wait: more files at once than the one that a machine with two cores would run. On Node, files share their
 * processes: to load the modules anew for each would take a third of the time. On Deno they would be slower, and take 15 GB in the end.
 */
const onDeno = "Deno" in globalThis

/** Tests make much that is soon garbage: room for it saves a sixth of their time on Node, and nothing on Deno. */
const garbage = onDeno ? [] : ["--max-semi-space-size=64"]
const forks = { isolate: onDeno, minForks: 4, maxForks: 4, execArgv: garbage }

/** A long file that begins last runs alone: these begin first. */
const longest = [
  "test/embedded/CrashPoints.test.ts",
  "test/process/",
  "test/documents/OtherReaders.test.ts",
  "test/defects.test.ts",
  "test/worker/CrawlCrashPoints.test.ts",
  "test/worker/CrashPoints.test.ts",
  "test/pipeline/ManyItems.test.ts",
  "test/executors/settings/Models.test.ts"
]

class LongestFirst extends BaseSequencer {
  override async sort(files: Array<TestSpecification>) {
    const sorted = await super.sort(files)
    const isLong = ({ moduleId }: TestSpecification) => longest.some((part) => moduleId.includes(`/${part}`))
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))]
  }
}

export default defineConfig({
  root: fileURLToPath(new URL("..", import.meta.url)),
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["**/node_modules/**"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    setupFiles: [fileURLToPath(new URL("./support/FreshMethods.ts", import.meta.url))],
    poolOptions: { forks },
    sequence: { sequencer: LongestFirst },
    // The gate runs on a small shared machine, where a test over real processes may starve once. One that fails twice fails, and so does a run with more than
    // two that failed once: SummaryReporter lists them.
    retry: process.env["CI"] === undefined ? 0 : 1,
    reporters: ["default", fileURLToPath(new URL("./support/SummaryReporter.ts", import.meta.url))]
  }
})
