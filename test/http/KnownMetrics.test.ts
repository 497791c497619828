import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import process from "node:process"
import { fileURLToPath } from "node:url"

const onDeno = "Deno" in globalThis
const place = (module: string): string => (onDeno ? `./src/${module}.ts` : `./dist/${module}.js`)

/** The metrics of a fresh process: once those are registered that are known, and then once all are that these modules export. */
const registered = (...modules: ReadonlyArray<string>): { readonly known: unknown; readonly all: unknown } => {
  const program = `
    import * as Effect from "effect/Effect"
    import * as Metric from "effect/Metric"
    const names = () =>
      [...new Set(Effect.runSync(Metric.snapshot).map(({ metricKey }) => metricKey.name))]
        .filter((name) => name.startsWith("contentflow_")).sort()
    const { register } = await import(${JSON.stringify(place("http/KnownMetrics"))})
    Effect.runSync(register)
    const known = names()
    for (const place of ${JSON.stringify(modules.map(place))})
      for (const exported of Object.values(await import(place)))
        for (const each of [exported, ...Object.values(exported)])
          if (Metric.MetricTypeId in Object(each)) each.register()
    console.log(JSON.stringify({ known, all: names() }))`
  const options = onDeno ? ["eval", "--no-lock", "--ext=mjs", program] : ["--input-type=module", "-e", program]
  const { status, stderr, stdout } = spawnSync(process.execPath, options, {
    cwd: fileURLToPath(new URL("../..", import.meta.url)),
    encoding: "utf8"
  })
  assert.strictEqual(status, 0, stderr)
  return JSON.parse(stdout)
}

// In processes of their own: the registry belongs to the process, and other tests touch metrics.
describe("KnownMetrics", () => {
  it("registers every metric of the engine, of services and of steps", () => {
    const { all, known } = registered("worker/Metrics", "services/Metrics", "executor/StepMetrics")
    assert.deepStrictEqual(known, all)
    assert.isArray(known)
    assert.includeMembers(known as Array<string>, [
      "contentflow_ai_pages_total",
      "contentflow_ai_requests_total",
      "contentflow_ai_tokens_total",
      "contentflow_ai_wait_seconds",
      "contentflow_documents_departed_total",
      "contentflow_poison_messages_total",
      "contentflow_steps_total"
    ])
    assert.isAtLeast((known as Array<string>).length, 25)
  })
})
