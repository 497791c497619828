import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"

export default defineConfig({
  root: fileURLToPath(new URL("..", import.meta.url)),
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Tests over processes mostly wait: two files at once, also on two cores, where one would be the default.
    poolOptions: { forks: { minForks: 2, maxForks: 2 } },
    // The gate runs on a small shared machine, where a test over real processes may starve once; one that fails twice fails.
    retry: process.env["CI"] === undefined ? 0 : 1,
    reporters: ["default", fileURLToPath(new URL("./support/SummaryReporter.ts", import.meta.url))]
  }
})
