import * as FileSystem from "@effect/platform/FileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Tracer from "effect/Tracer"
import * as EndpointValves from "../../src/concurrency/EndpointValves.ts"
import * as WorkerConfig from "../../src/config/WorkerConfig.ts"
import { Meter } from "../../src/executor/Usage.ts"
import * as Governor from "../../src/services/Governor.ts"
import * as Prices from "../../src/services/Prices.ts"
import * as ServiceClients from "../../src/services/ServiceClients.ts"
import * as ServiceHttp from "../../src/services/ServiceHttp.ts"
import * as Services from "../support/Services.ts"

const call: ServiceClients.Call = {
  operation: "POST /responses",
  method: "POST",
  path: "/responses",
  json: { input: "The text of a document." },
  usage: () => ({
    model: "gpt-4.1-mini-2025-04-14",
    inputTokens: 3_000,
    cachedTokens: 1_000,
    outputTokens: 500,
    pages: 2
  })
}

/** A call of the deployment `gpt`, with this AI_PRICES and this file of the machine; what it used. */
const used = (aiPrices: string | null, file?: string) =>
  Effect.gen(function* () {
    const meter = new Meter()
    const script = Services.script(ServiceHttp.json(200, {}))
    const clients = ServiceClients.layer.pipe(
      Layer.provide([
        script.layer,
        EndpointValves.layer,
        Governor.layer,
        WorkerConfig.layerWith({ aiPrices }),
        FileSystem.layerNoop(file === undefined ? {} : { readFileString: () => Effect.succeed(file) })
      ])
    )
    yield* Effect.gen(function* () {
      const { open } = yield* ServiceClients.ServiceClients
      const client = yield* open(Services.options({ meter }))
      yield* client.call(call)
    }).pipe(Effect.provide(clients))
    return meter.all()[0]?.cost
  })

describe("what a call costs", () => {
  for (const [what, prices, cost] of [
    ["no table", null, null],
    ["a table without it", { other: { input: 1 } }, null],
    ["tokens by the million, cached ones at their price", { gpt: { input: 4, cached: 1, output: 8 } }, 0.013],
    ["cached ones as others where they have no price", { gpt: { input: 4, output: 8 } }, 0.016],
    ["pages each", { gpt: { page: 0.01 } }, 0.02],
    ["the model's name where the deployment has no price", { "gpt-4.1-mini-2025-04-14": { output: 2 } }, 0.001],
    ["the deployment before the model", { gpt: { output: 4 }, "gpt-4.1-mini-2025-04-14": { output: 2 } }, 0.002]
  ] as const) {
    it.live(`is counted with ${what}`, () =>
      Effect.gen(function* () {
        const table = prices === null ? null : JSON.stringify(prices)
        for (const found of [yield* used(table), ...(table === null ? [] : [yield* used("prices.json", table)])]) {
          if (cost === null) assert.isNull(found)
          else assert.approximately(found ?? Number.NaN, cost, 1e-12)
        }
      })
    )
  }

  it.live("is not counted, and stops nothing, where the table can't be read", () =>
    Effect.gen(function* () {
      for (const [setting, file] of [
        ["{", undefined],
        ['{"gpt": {"input": -1}}', undefined],
        ['{"gpt": {"input": "4"}}', undefined],
        ["missing.json", undefined],
        ["prices.json", "input: 4"]
      ] as const) {
        assert.isNull(yield* used(setting, file), setting)
      }
    })
  )

  it.live("no price is built in", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* Prices.load(null), {})
    }).pipe(Effect.provide(FileSystem.layerNoop({})))
  )
})

describe("a call of a service", () => {
  it.live("is a span of its own, with the host and the deployment, and no text of a document", () =>
    Effect.gen(function* () {
      const spans: Array<Tracer.Span> = []
      const native = yield* Effect.tracer
      const tracer = Tracer.make({
        span: (...given) => {
          const span = native.span(...given)
          spans.push(span)
          return span
        },
        context: (...given) => native.context(...given)
      })
      yield* Effect.withTracer(
        Effect.gen(function* () {
          const { open } = yield* ServiceClients.ServiceClients
          const client = yield* open(Services.options())
          yield* client.call(call)
        }).pipe(Effect.provide(Services.layer(Services.script(ServiceHttp.json(200, {})).layer))),
        tracer
      )
      const own = spans.filter(({ name }) => name === "Azure OpenAI POST /responses")
      assert.lengthOf(own, 1)
      assert.strictEqual(own[0]?.attributes.get("server.address"), "res.openai.azure.com")
      assert.strictEqual(own[0]?.attributes.get("deployment"), "gpt")
      assert.strictEqual(own[0]?.kind, "client")
      assert.notInclude(JSON.stringify(spans.map(({ attributes }) => [...attributes])), "The text of a document")
    })
  )
})
