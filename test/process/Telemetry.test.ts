import { assert, describe, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Collector from "../support/Collector.ts"
import * as Folders from "../support/Folders.ts"
import * as WorkerProcess from "../support/WorkerProcess.ts"

interface Span {
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly kind: number
  readonly links: ReadonlyArray<{ readonly spanId: string }>
  readonly attributes: ReadonlyArray<{ readonly key: string; readonly value: Readonly<Record<string, unknown>> }>
}

const spansIn = (sent: ReadonlyArray<Collector.Sent>): ReadonlyArray<Span> =>
  sent
    .filter(({ path }) => path === "/v1/traces")
    .flatMap(({ body }) => JSON.parse(body).resourceSpans)
    .flatMap(({ scopeSpans }) => scopeSpans)
    .flatMap(({ spans }) => spans)

const attribute = ({ attributes }: Span, key: string): unknown =>
  Object.values(attributes.find((one) => one.key === key)?.value ?? {})[0]

/** Runs the worker on a folder with these documents until all are done. */
const served = (documents: Readonly<Record<string, string>>, env: Readonly<Record<string, string>>) =>
  Effect.gen(function* () {
    const folder = yield* Folders.temporary
    mkdirSync(join(folder, "inbox"))
    for (const [name, text] of Object.entries(documents)) writeFileSync(join(folder, "inbox", name), text)
    const worker = yield* WorkerProcess.run(["serve", folder, "--once"], { API_PORT: "0", ...env })
    const { code } = yield* worker.exit
    return { code, worker }
  })

describe("telemetry", () => {
  layer(Layer.empty, { excludeTestServices: true })((it) => {
    it.scoped(
      "a collector gets one trace for each document, from its crawl to its output, beside metrics and logs",
      () =>
        Effect.gen(function* () {
          const { sent, url } = yield* Collector.start()
          const { code, worker } = yield* served(
            { "a.txt": "The text of a.", "b.txt": "The text of b.", "torn.pdf": "%PDF-1.4 and nothing else" },
            {
              OTEL_EXPORTER_OTLP_ENDPOINT: `${url}/`,
              OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
              OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer%20of-the-collector",
              OTEL_SERVICE_NAME: "ingestion",
              OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=test"
            }
          )
          assert.strictEqual(code, 3, worker.stderr())
          const spans = spansIn(sent)
          const named = (name: string) => spans.filter((span) => span.name === name)
          // A vault may be crawled again before the run ends, so each document names the crawl that found it.
          const crawls = named("crawl vault")
          assert.strictEqual(named("enqueue document").length, 3)
          for (const enqueued of named("enqueue document")) {
            const linked = crawls.filter(({ spanId }) => enqueued.links.some((link) => link.spanId === spanId))
            assert.strictEqual(linked.length, 1, "a document is linked to the crawl that found it")
            assert.strictEqual(enqueued.links.length, 1)
            assert.notStrictEqual(enqueued.traceId, linked[0]?.traceId, "a document's trace is its own")
            const [attempt, ...more] = named("process document").filter(
              ({ parentSpanId }) => parentSpanId === enqueued.spanId
            )
            assert.deepStrictEqual(more, [])
            assert.strictEqual(attempt?.traceId, enqueued.traceId)
            assert.strictEqual(
              attempt === undefined ? undefined : attribute(attempt, "contentflow.execution.id"),
              attribute(enqueued, "contentflow.execution.id")
            )
            const nodes = spans.filter(({ parentSpanId }) => parentSpanId === attempt?.spanId).map(({ name }) => name)
            assert.include(nodes, "document_extractor", "nodes stand side by side")
          }
          const outcomes = named("process document").map((span) => attribute(span, "contentflow.outcome"))
          assert.sameMembers(outcomes, ["Completed", "Completed", "Rejected"])
          assert.strictEqual(named("azure_blob_output").length, 4, "two for each document that was read")

          const paths = new Set(sent.map(({ path }) => path))
          assert.sameMembers([...paths], ["/v1/traces", "/v1/metrics", "/v1/logs"])
          for (const { body, headers } of sent) {
            assert.strictEqual(headers.authorization, "Bearer of-the-collector")
            assert.include(body, '"ingestion"')
            assert.include(body, '"deployment.environment.name"')
          }
          const all = sent.map(({ body }) => body).join("\n")
          assert.include(all, "contentflow_tasks_total")
          assert.include(all, "The PDF is damaged")
          assert.notInclude(all, "of-the-collector", "secrets stay here")
        })
    )

    it.scoped("a collector that is away, or never answers, holds up nothing; what is switched off is not sent", () =>
      Effect.gen(function* () {
        const silent = yield* Collector.start(true)
        const [hanging, away, off] = yield* Effect.all(
          [
            served({ "a.txt": "a" }, { OTEL_EXPORTER_OTLP_ENDPOINT: silent.url, OTEL_LOGS_EXPORTER: "none" }),
            served({ "a.txt": "a" }, { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9" }),
            served({ "a.txt": "a" }, { OTEL_EXPORTER_OTLP_ENDPOINT: silent.url, OTEL_SDK_DISABLED: "true" })
          ],
          { concurrency: 3 }
        )
        for (const { code, worker } of [hanging, away, off]) assert.strictEqual(code, 0, worker.stderr())
        const paths = new Set(silent.sent.map(({ path }) => path))
        assert.sameMembers([...paths], ["/v1/traces", "/v1/metrics"])
        assert.strictEqual(silent.sent[0]?.headers["content-type"], "application/x-protobuf")
      })
    )
  })
})
