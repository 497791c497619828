import { assert, describe, it } from "@effect/vitest"
import * as HttpServer from "@effect/platform/HttpServer"
import { Context, Effect, Layer, Metric, Stream, TestClock } from "effect"
import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { parse } from "yaml"
import * as Prometheus from "../../src/http/Prometheus.ts"
import * as WorkerHttp from "../../src/http/HttpServer.ts"
import * as ServiceMetrics from "../../src/services/Metrics.ts"
import { MemoryStores } from "../../src/store/MemoryStores.ts"
import * as Metrics from "../../src/worker/Metrics.ts"
import * as PipelineMetrics from "../../src/worker/PipelineMetrics.ts"
import { executorError, FakeRunner } from "../support/FakeRunner.ts"
import * as Engine from "../support/MemoryEngine.ts"
import * as Exposition from "./Exposition.ts"

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8")

/** A scrape of a worker that crawled, completed a task, failed one, and called a model. */
const scraped = Effect.gen(function* () {
  const runner = yield* FakeRunner
  runner.crawl = () =>
    Stream.make({
      documents: [
        {
          item: { ...Engine.item("found"), id: { ...Engine.item("found").id, metadata: { size: 2_000 } } },
          version: "1"
        }
      ],
      servedAt: 1_000
    })
  runner.work = (items) =>
    items[0]?.id?.canonical_id === "doc-1"
      ? Effect.fail(executorError("Document", "no PDF"))
      : Effect.succeed(items.map((item) => ({ ...item, summary_data: { pages_processed: 7 } })))
  yield* (yield* MemoryStores).vaults.upsert({ ...Engine.vault, name: "Invoices" })
  yield* Engine.enqueue(1)
  ServiceMetrics.called("text_summarizer", "gpt", "ok", 10)
  ServiceMetrics.used("text_summarizer", {
    deployment: "gpt",
    inputTokens: 5,
    outputTokens: 5,
    cachedTokens: 1,
    pages: 1,
    model: "gpt",
    calls: 1,
    millis: 1,
    waitMillis: 0,
    cost: null
  })
  Metrics.observeOverdue([
    {
      executorId: "a",
      type: "fake",
      status: "interrupted",
      startedAt: 0,
      endedAt: 1,
      itemsIn: 1,
      itemsOut: 0,
      itemsFailed: 0,
      error: null
    }
  ])
  const context = yield* Layer.build(
    WorkerHttp.layerAt("127.0.0.1", 0).pipe(
      Layer.provide(Engine.engine({ processingWorkers: 2, sourceWorkers: 1, workerName: "replica-7" }))
    )
  )
  const { address } = Context.get(context, HttpServer.HttpServer)
  const port = address._tag === "TcpAddress" ? address.port : 0
  const scrape = Effect.promise(async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).text())
  yield* Engine.pass(8)
  return yield* scrape
})

const hasPromtool = spawnSync("promtool", ["--version"]).error === undefined

/** What counts in this process; other files count under the same names. */
const counted = Effect.map(Metric.snapshot, (metrics) => Exposition.parse(Prometheus.render(metrics)))

const test = (name: string, body: (text: string, before: Exposition.Scrape) => void, isSkipped = false) =>
  it.effect.skipIf(isSkipped)(name, () =>
    Engine.withInstallation(
      TestClock.setTime(Date.parse("2026-01-02T10:00:00Z")).pipe(
        Effect.zipRight(counted),
        Effect.flatMap((before) => Effect.map(scraped, (text) => body(text, before)))
      )
    )
  )

/** What `promtool check metrics` objects to. */
const objections = (scrape: Exposition.Scrape): ReadonlyArray<string> =>
  [...scrape].flatMap(([name, { help, samples, type }]) => {
    const said = (wrong: boolean, why: string) => (wrong ? [`${name}: ${why}`] : [])
    return [
      ...said(help === name, "no help"),
      ...said(type === "counter" && !name.endsWith("_total"), "a counter without _total"),
      ...said(type !== "counter" && name.endsWith("_total"), "_total, and no counter"),
      ...said(type !== "histogram" && /_(?:bucket|count|sum)$/.test(name), "a suffix of histograms"),
      ...said(/[A-Z]/.test(name), "capital letters"),
      ...said(/(?:^|_)(?:counter|gauge|histogram|summary)(?:_|$)/.test(name), "its type in its name"),
      ...said(
        /_(?:ms|milliseconds|minutes|hours|days|kb|mb|kilobytes|megabytes|percent|s|sec|secs)(?:_total)?$/.test(name),
        "no base unit"
      ),
      ...said(
        samples.some(({ labels }) => [...labels.keys()].some((label) => /[A-Z]/.test(label) || label.startsWith("__"))),
        "a label's name"
      ),
      ...said(type !== "histogram" && samples.some(({ labels }) => labels.has("le")), "the label le")
    ]
  })

describe("what Prometheus reads", () => {
  test("keeps to its rules for names, types, help and units", (text) => {
    const scrape = Exposition.parse(text)
    assert.deepStrictEqual(objections(scrape), [])
    assert.isEmpty([...scrape.keys()].filter((name) => !/^(?:contentflow|process)_/.test(name)))
  })

  it("is tried against rules that object to something", () => {
    const wrong = (name: string, type: string) =>
      Exposition.parse(`# HELP ${name} help\n# TYPE ${name} ${type}\n${name} 1\n`)
    for (const [name, type] of [
      ["a", "counter"],
      ["a_total", "gauge"],
      ["a_count", "gauge"],
      ["aB", "gauge"],
      ["a_gauge", "gauge"],
      ["wait_ms", "gauge"]
    ] as const) {
      assert.isNotEmpty(objections(wrong(name, type)), name)
    }
  })

  test(
    hasPromtool ? "is clean for promtool" : "is clean for promtool (which is not installed)",
    (text) => {
      const { status, stderr, stdout } = spawnSync("promtool", ["check", "metrics"], { input: text, encoding: "utf8" })
      assert.strictEqual(status, 0, `${stdout}${stderr}`)
    },
    !hasPromtool
  )

  test("says by the names of pipeline and vault what was done, how large it was, and how late crawls are", (text, before) => {
    const scrape = Exposition.parse(text)
    const labels = { pipeline: "Line", vault: "Invoices" }
    const valueOf = (name: string, more: Readonly<Record<string, string>> = {}) =>
      Exposition.valueOf(scrape, `contentflow_${name}`, { ...labels, ...more })
    assert.isAtLeast(valueOf("pipeline_attempts_total", { outcome: "completed" }), 1)
    assert.isAtLeast(valueOf("pipeline_attempts_total", { outcome: "rejected" }), 1)
    const added = (name: string) => valueOf(name) - Exposition.valueOr(0, before, `contentflow_${name}`, labels)
    assert.strictEqual(added("pipeline_documents_total"), 1)
    assert.strictEqual(added("pipeline_pages_total"), 7)
    assert.strictEqual(added("pipeline_document_bytes_total"), 2_000)
    assert.strictEqual(valueOf("crawl_lag_seconds"), 0)
    assert.strictEqual(valueOf("deletions_held"), 0)
    const [build] = scrape.get("contentflow_build_info")?.samples ?? []
    assert.match(build?.labels.get("version") ?? "", /^\d+\.\d+\.\d+$/)
    const started = Exposition.valueOf(scrape, "process_start_time_seconds")
    assert.approximately(started, Date.now() / 1_000 - process.uptime(), 5)
  })
})

/** The words of an expression that are metrics and labels. */
const namesIn = (expression: string) => {
  const plain = expression.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""')
  const metrics = [...plain.matchAll(/\b(?:contentflow|process)_[a-z_]+/g)].map(([name]) => name)
  const selected = [...plain.matchAll(/\b((?:contentflow|process)_[a-z_]+)\{([^}]*)\}/g)].flatMap(
    ([, name, labels = ""]) =>
      [...labels.matchAll(/([a-z_]+)\s*(?:=~|!~|!=|=)/g)].map(([, label]) => [name, label] as const)
  )
  const grouped = [...plain.matchAll(/\b(?:by|without|on)\s*\(([^)]*)\)/g)].flatMap(([, labels = ""]) =>
    labels.split(",").map((label) => label.trim())
  )
  return { metrics, selected, grouped }
}

interface Rule {
  readonly alert: string
  readonly expr: string
  readonly labels: { readonly severity: string }
  readonly annotations: { readonly summary: string }
}

/** What Prometheus itself adds to each series. */
const added = new Set(["job", "instance"])

const check = (scrape: Exposition.Scrape, expression: string) => {
  const familyOf = (name: string) =>
    scrape.get(name) ??
    (scrape.get(name.replace(/_(?:bucket|sum|count)$/, ""))?.type === "histogram"
      ? scrape.get(name.replace(/_(?:bucket|sum|count)$/, ""))
      : undefined)
  const labelsOf = (name: string) =>
    new Set([...added, ...(familyOf(name)?.samples ?? []).flatMap(({ labels }) => [...labels.keys()])])
  const { grouped, metrics, selected } = namesIn(expression)
  assert.isNotEmpty(metrics, expression)
  for (const name of metrics) assert.isDefined(familyOf(name), `${name} in ${expression}`)
  for (const [name = "", label = ""] of selected) {
    assert.isTrue(labelsOf(name).has(label), `the label ${label} of ${name} in ${expression}`)
  }
  const known = new Set(metrics.flatMap((name) => [...labelsOf(name)]))
  for (const label of grouped) assert.isTrue(known.has(label), `the label ${label} in ${expression}`)
}

describe("the files for Grafana and Prometheus", () => {
  const dashboard = JSON.parse(read("src/deploy/grafana/dashboard.json"))
  const rules: ReadonlyArray<Rule> = parse(read("src/deploy/prometheus/alerts.yaml")).groups.flatMap(
    ({ rules: each }: { rules: ReadonlyArray<unknown> }) => each
  )

  test("name only metrics and labels that there are", (text) => {
    const scrape = Exposition.parse(text)
    const expressions: ReadonlyArray<string> = [
      ...dashboard.panels.flatMap(({ targets = [] }: { targets?: ReadonlyArray<{ expr: string }> }) =>
        targets.map(({ expr }) => expr)
      ),
      ...rules.map(({ expr }) => expr)
    ]
    assert.isAtLeast(expressions.length, 30)
    for (const expression of expressions) check(scrape, expression)
    for (const wrong of [
      "contentflow_no_such",
      'contentflow_queue_depth{kind="x"}',
      "sum by (nobody) (contentflow_queue_depth)"
    ]) {
      assert.throws(() => check(scrape, wrong))
    }
    for (const { query, type } of dashboard.templating.list) {
      if (type !== "query") continue
      const [, name = "", label = ""] = /^label_values\((\w+), (\w+)\)$/.exec(query.query) ?? []
      check(scrape, `${name}{${label}=""}`)
    }
  })

  it("have panels that do not overlap, and alerts that say what to do by labels they have", () => {
    const ids = dashboard.panels.map(({ id }: { id: number }) => id)
    assert.strictEqual(new Set(ids).size, ids.length)
    const cells = new Set<string>()
    for (const {
      gridPos: { h, w, x, y }
    } of dashboard.panels) {
      for (let column = x; column < x + w; column++) {
        for (let row = y; row < y + h; row++) {
          assert.isFalse(cells.has(`${column} ${row}`), `${column} ${row}`)
          assert.isBelow(column, 24)
          cells.add(`${column} ${row}`)
        }
      }
    }
    assert.strictEqual(new Set(rules.map(({ alert }) => alert)).size, rules.length)
    for (const { alert, annotations, expr, labels } of rules) {
      assert.match(alert, /^ContentFlow[A-Z]\w+$/)
      assert.include(["warning", "critical"], labels.severity)
      assert.isNotEmpty(annotations.summary)
      const grouped = new Set(namesIn(expr).grouped)
      const used = [...JSON.stringify(annotations).matchAll(/\$labels\.(\w+)/g)].map(([, label = ""]) => label)
      for (const label of used) assert.isTrue(grouped.has(label) || !/by \(/.test(expr), `${label} of ${alert}`)
    }
  })

  it.skipIf(!hasPromtool)("hold for promtool, where it is installed", () => {
    const file = new URL("../../src/deploy/prometheus/alerts.yaml", import.meta.url).pathname
    const { status, stderr, stdout } = spawnSync("promtool", ["check", "rules", file], { encoding: "utf8" })
    assert.strictEqual(status, 0, `${stdout}${stderr}`)
  })
})

describe("series by pipeline and vault", () => {
  it.effect("are bounded, whatever the names, and count the rest together", () =>
    Effect.gen(function* () {
      // An instance of its own: that of the process would be full for all files after this.
      const own = "../../src/worker/PipelineMetrics.ts?own"
      const { attempted }: typeof PipelineMetrics = yield* Effect.promise(() => import(/* @vite-ignore */ own))
      for (let number = 0; number < 3 * PipelineMetrics.mostPlaces; number++) {
        attempted({ pipeline: `many ${number} ${"x".repeat(5_000)}`, vault: `v"${number}\n` }, "completed", 1)
      }
      const samples = (yield* counted).get("contentflow_pipeline_attempts_total")?.samples ?? []
      const many = samples.filter(({ labels }) => labels.get("pipeline")?.startsWith("many "))
      assert.lengthOf(many, PipelineMetrics.mostPlaces)
      for (const { labels } of many) assert.isAtMost((labels.get("pipeline") ?? "").length, 101)
      const rest = samples.find(({ labels }) => labels.get("pipeline") === "other" && labels.get("vault") === "other")
      assert.isAtLeast(rest?.value ?? 0, 2 * PipelineMetrics.mostPlaces)
    })
  )
})
