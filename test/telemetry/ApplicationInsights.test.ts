import type { HttpClient } from "@azure/core-rest-pipeline"
import { createHttpHeaders } from "@azure/core-rest-pipeline"
import { assert, describe, it } from "@effect/vitest"
import { Data, Duration, Effect, Metric, Redacted } from "effect"
import { gunzipSync } from "node:zlib"
import { remember } from "../../src/domain/Redaction.ts"
import * as ApplicationInsights from "../../src/telemetry/ApplicationInsights.ts"
import * as Spans from "../../src/telemetry/Spans.ts"
import type { TelemetrySettings } from "../../src/telemetry/TelemetrySettings.ts"

class Refused extends Data.TaggedError("Refused")<{ readonly message: string }> {}

const settings: TelemetrySettings = {
  otlp: null,
  applicationInsights: null,
  signals: new Set(["traces", "metrics", "logs"]),
  serviceName: "ingestion",
  resourceAttributes: "deployment.environment.name=test",
  metricInterval: Duration.seconds(60)
}

const key = "00000000-0000-0000-0000-000000000001"
const connectionString = Redacted.make(`InstrumentationKey=${key};IngestionEndpoint=https://ingestion.example/`)

const recorder = () => {
  const bodies: Array<{ readonly url: string; readonly text: string }> = []
  const transport: HttpClient = {
    sendRequest: (request) => {
      const { body } = request
      const bytes = body instanceof Uint8Array ? Buffer.from(body) : Buffer.from(typeof body === "string" ? body : "")
      const text = (bytes[0] === 0x1f ? gunzipSync(bytes) : bytes).toString("utf8")
      bodies.push({ url: request.url, text })
      return Promise.resolve({
        request,
        status: 200,
        headers: createHttpHeaders({ "content-type": "application/json" }),
        bodyAsText: '{"itemsReceived":1,"itemsAccepted":1,"errors":[]}'
      })
    }
  }
  return { bodies, transport }
}

const work = Spans.around(
  "process document",
  { kind: "consumer", attributes: () => ({ "contentflow.task.id": "task_1" }) },
  Effect.zipRight(
    Metric.increment(Metric.counter("contentflow_telemetry_test_total")),
    Effect.logInfo("The document was read")
  )
)

describe("Application Insights", () => {
  it.live("gets spans, metrics and lines of the log, as its connection string says", () =>
    Effect.gen(function* () {
      const { bodies, transport } = recorder()
      yield* Effect.provide(work, ApplicationInsights.layer(settings, connectionString, transport))
      const own = bodies.filter(({ url }) => url.startsWith("https://ingestion.example/v2.1/track"))
      const all = own.map(({ text }) => text).join("\n")
      assert.include(all, key)
      for (const part of ["process document", "task_1", "contentflow_telemetry_test_total", "The document was read"])
        assert.include(all, part)
    })
  )

  it.live("gets only the signals that are asked for", () =>
    Effect.gen(function* () {
      const { bodies, transport } = recorder()
      const logsAlone = { ...settings, signals: new Set(["logs"] as const) }
      yield* Effect.provide(work, ApplicationInsights.layer(logsAlone, connectionString, transport))
      const all = bodies.map(({ text }) => text).join("\n")
      assert.include(all, "The document was read")
      assert.notInclude(all, "contentflow_telemetry_test_total")
      assert.notInclude(all, "task_1")
    })
  )

  it.live("gets none of the worker's secrets, whatever they stand in", () =>
    Effect.gen(function* () {
      const { bodies, transport } = recorder()
      const secret = "of-nobody-else-5117"
      remember(secret)
      const failing = Spans.around(
        "process document",
        { attributes: () => ({ address: `https://account.example/a?sig=${secret}`, words: ["asked", secret] }) },
        Effect.logInfo(`Asked with ${secret}`, { key: secret }).pipe(
          Effect.annotateLogs("asked", secret),
          Effect.zipRight(Effect.fail(new Refused({ message: `The service did not take ${secret}` })))
        )
      )
      yield* Effect.exit(Effect.provide(failing, ApplicationInsights.layer(settings, connectionString, transport)))
      const all = bodies.map(({ text }) => text).join("\n")
      for (const part of ["https://account.example/a?sig=", "Asked with", "The service did not take"])
        assert.include(all, part)
      assert.notInclude(all, secret)
    })
  )

  it.live("is left out where the connection string is none, and the worker runs", () =>
    Effect.gen(function* () {
      const { bodies, transport } = recorder()
      yield* Effect.provide(
        work,
        ApplicationInsights.layer(settings, Redacted.make("InstrumentationKey=1234"), transport)
      )
      assert.lengthOf(bodies, 0)
    })
  )
})
