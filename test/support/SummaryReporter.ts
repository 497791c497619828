import process from "node:process"
import type { Reporter, TestModule } from "vitest/node"

/** More tests than these that passed only at their second try are no bad luck. */
export const mostRetried = 2

/**
 * Ends a run with plain lines that a script can read: `retried: <file> > <test>` for each test that did not pass at once, and
 * `<n> passed, <n> failed, <n> skipped`. The run fails when more than {@link mostRetried} were retried.
 */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: ReadonlyArray<TestModule>) {
    const { failed, text } = summary(modules)
    process.stdout.write(text)
    if (failed) process.exitCode = 1
  }
}

/** What of a finished module the summary asks for. */
export interface FinishedModule {
  readonly moduleId: string
  readonly errors: () => { readonly length: number }
  readonly children: {
    readonly allTests: () => Iterable<{
      readonly fullName: string
      readonly result: () => { readonly state: "passed" | "failed" | "skipped" | "pending" }
      readonly diagnostic: () => { readonly retryCount: number } | undefined
    }>
  }
}

export const summary = (
  modules: ReadonlyArray<FinishedModule>
): { readonly text: string; readonly failed: boolean } => {
  const count = { passed: 0, failed: 0, skipped: 0, pending: 0 }
  const retried: Array<string> = []
  for (const module of modules) {
    for (const test of module.children.allTests()) {
      count[test.result().state]++
      const isRetried = (test.diagnostic()?.retryCount ?? 0) > 0
      if (isRetried) retried.push(`retried: ${module.moduleId} > ${test.fullName}\n`)
    }
    count.failed += module.errors().length
  }
  const failed = retried.length > mostRetried
  const verdict = failed
    ? `${retried.length} tests were retried, and ${mostRetried} are the most that may be: mend those that pass by luck.\n`
    : ""
  const totals = `${count.passed} passed, ${count.failed} failed, ${count.skipped + count.pending} skipped\n`
  return { failed, text: retried.join("") + verdict + totals }
}
