import { assert, describe, it } from "@effect/vitest"
import { Effect, Metric, MetricBoundaries } from "effect"
import * as Prometheus from "../../src/http/Prometheus.ts"
import * as Exposition from "./Exposition.ts"

/** A scrape of these metrics alone. */
const scrape = (prefix: string, samples: ReadonlyArray<Prometheus.Sample> = []) =>
  Effect.map(Metric.snapshot, (all) =>
    Exposition.parse(
      Prometheus.render(
        all.filter(({ metricKey }) => metricKey.name.startsWith(prefix)),
        samples
      )
    )
  )

describe("Prometheus.render", () => {
  it.effect("escapes labels and help, whatever they hold", () =>
    Effect.gen(function* () {
      const hostile = 'a "quoted" back\\slash\nand a line, {braces} = ünïcode'
      yield* Metric.increment(
        Metric.tagged(Metric.counter("escaped_total", { description: "two\nlines \\ here" }), "what", hostile)
      )
      const family = (yield* scrape("escaped")).get("escaped_total")
      assert.strictEqual(family?.help, "two\\nlines \\\\ here")
      assert.strictEqual(family?.samples[0]?.labels.get("what"), hostile)
    })
  )

  it.effect("histograms are cumulative and end with +Inf", () =>
    Effect.gen(function* () {
      const histogram = Metric.histogram("took_seconds", MetricBoundaries.fromIterable([0.1, 1, 10]))
      for (const value of [0.05, 0.1, 0.5, 5, 5, 500]) yield* Metric.update(histogram, value)
      const found = yield* scrape("took")
      const bucket = (le: string) => Exposition.valueOf(found, "took_seconds_bucket", { le })
      assert.deepStrictEqual(["0.1", "1", "10", "+Inf"].map(bucket), [2, 3, 5, 6])
      assert.strictEqual(Exposition.valueOf(found, "took_seconds_count"), 6)
      assert.closeTo(Exposition.valueOf(found, "took_seconds_sum"), 510.65, 1e-9)
    })
  )

  it.effect("knows every kind of Effect's metrics, and names that Prometheus would refuse", () =>
    Effect.gen(function* () {
      yield* Metric.increment(Metric.counter("1kind.of-counter"))
      yield* Metric.set(Metric.gauge("kinds gauge", { bigint: true }), 3n)
      yield* Metric.update(Metric.frequency("kinds_frequency"), "red")
      const summary = Metric.summary({
        name: "kinds_summary",
        maxAge: "1 day",
        maxSize: 10,
        error: 0,
        quantiles: [0.5]
      })
      for (const value of [2, 2, 2]) yield* Metric.update(summary, value)
      yield* Metric.increment(Metric.tagged(Metric.counter("kinds_tagged"), "a-b.c", "x"))
      const found = yield* scrape("")
      assert.strictEqual(Exposition.valueOf(found, "_1kind_of_counter"), 1)
      assert.strictEqual(Exposition.valueOf(found, "kinds_gauge"), 3)
      assert.strictEqual(Exposition.valueOf(found, "kinds_frequency", { value: "red" }), 1)
      assert.strictEqual(found.get("kinds_summary")?.type, "summary")
      assert.strictEqual(Exposition.valueOf(found, "kinds_summary", { quantile: "0.5" }), 2)
      assert.strictEqual(Exposition.valueOf(found, "kinds_summary_sum"), 6)
      assert.strictEqual(Exposition.valueOf(found, "kinds_summary_count"), 3)
      assert.strictEqual(Exposition.valueOf(found, "kinds_tagged", { a_b_c: "x" }), 1)
    })
  )

  it.effect("two metrics that would become one series, or one family of two types, do not spoil the scrape", () =>
    Effect.gen(function* () {
      yield* Metric.increment(Metric.counter("clash.total", { description: "one" }))
      yield* Metric.increment(Metric.counter("clash_total", { description: "two" }))
      yield* Metric.set(Metric.gauge("clash_total"), 7)
      assert.strictEqual(Exposition.valueOf(yield* scrape("clash"), "clash_total"), 1)
    })
  )

  it.effect("numbers of any size and none", () =>
    Effect.gen(function* () {
      const numbers = { inf: Infinity, minus: -Infinity, nan: Number.NaN, small: 1e-9, large: 1e21, negative: -1.5 }
      const samples = Object.entries(numbers).map(([kind, value]): Prometheus.Sample => ({
        name: "n",
        type: "gauge",
        help: "numbers",
        value,
        labels: { kind }
      }))
      const found = yield* scrape("nothing", samples)
      for (const [kind, value] of Object.entries(numbers))
        assert.deepEqual(Exposition.valueOf(found, "n", { kind }), value)
    })
  )
})

describe("the tests' own reader", () => {
  const family = "# HELP a help\n# TYPE a counter\n"
  const histogram = (lines: string) => `# HELP h help\n# TYPE h histogram\n${lines}`
  for (const [name, text] of [
    ["a missing end of line", `${family}a 1`],
    ["a series twice", `${family}a 1\na 1\n`],
    ["a series outside of its family", `${family}b 1\n`],
    ["a family twice", `${family}a 1\n${family}a{x="1"} 1\n`],
    ["a type without help", "# TYPE a counter\na 1\n"],
    ["an unescaped quote", `${family}a{x="q"q"} 1\n`],
    ["no number", `${family}a one\n`],
    ["buckets that fall", histogram('h_bucket{le="1"} 2\nh_bucket{le="+Inf"} 1\nh_sum 1\nh_count 1\n')],
    ["no +Inf", histogram('h_bucket{le="1"} 1\nh_sum 1\nh_count 1\n')]
  ] as const) {
    it(`refuses ${name}`, () => assert.throws(() => Exposition.parse(text), Exposition.Malformed))
  }
})
