import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"

export default defineConfig({
  root: fileURLToPath(new URL("..", import.meta.url)),
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    setupFiles: [fileURLToPath(new URL("./support/FreshMethods.ts", import.meta.url))],
    // Loading the modules anew for each file would take more than a third of the time. Tests over processes mostly wait: three files at once.
    poolOptions: { forks: { isolate: false, minForks: 3, maxForks: 3 } },
    // The gate runs on a small shared machine, where a test over real processes may starve once; one that fails twice fails.
    retry: process.env["CI"] === undefined ? 0 : 1,
    reporters: ["default", fileURLToPath(new URL("./support/SummaryReporter.ts", import.meta.url))]
  }
})
