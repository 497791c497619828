import { assert, describe, it } from "@effect/vitest"
import { type FinishedModule, summary } from "./SummaryReporter.ts"

const tested = (name: string, retryCount: number, state: "passed" | "failed" | "skipped" = "passed") => ({
  fullName: name,
  result: () => ({ state }),
  diagnostic: () => (state === "skipped" ? undefined : { retryCount })
})

const module = (...tests: ReadonlyArray<ReturnType<typeof tested>>): FinishedModule => ({
  moduleId: "test/a.test.ts",
  errors: () => [],
  children: { allTests: () => tests }
})

describe("the summary of a run", () => {
  it("counts, and lists no test that passed at once", () => {
    const modules = [module(tested("a", 0), tested("b", 0, "skipped")), module(tested("c", 0, "failed"))]
    assert.deepStrictEqual(summary(modules), { text: "1 passed, 1 failed, 1 skipped\n", failed: false })
  })

  it("lists what was retried, whether it passed then or not", () => {
    const { failed, text } = summary([module(tested("a", 1), tested("b", 1, "failed"))])
    assert.isFalse(failed)
    assert.strictEqual(
      text,
      "retried: test/a.test.ts > a\nretried: test/a.test.ts > b\n1 passed, 1 failed, 0 skipped\n"
    )
  })

  it("fails a run in which more than two were retried", () => {
    const { failed, text } = summary([module(tested("a", 1), tested("b", 1)), module(tested("c", 1))])
    assert.isTrue(failed)
    assert.match(text, /3 tests were retried, and 2 are the most/)
    assert.isTrue(text.endsWith("3 passed, 0 failed, 0 skipped\n"))
  })
})
