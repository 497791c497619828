import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as HttpLanguageModel from "../../../src/services/language/HttpLanguageModel.ts"
import * as LanguageModel from "../../../src/services/language/LanguageModel.ts"
import * as ServiceHttp from "../../../src/services/ServiceHttp.ts"
import * as Services from "../../support/Services.ts"

type Body = Readonly<Record<string, unknown>>

const questions = ["one", "two", "three"].map((user) => ({ system: "s", user, temperature: 0.2, maxTokens: 100 }))

/**
 * Three questions to a model that takes none of these parameters: the first requests arrive together, before any is answered; then
 * another node asks one more. What it answers, and how many requests the last question took.
 */
const together = (
  options: Pick<LanguageModel.ModelOptions, "apiVersion"> & { readonly endpoint: string },
  refused: ReadonlyArray<readonly [parameter: string, message: string]>
) =>
  Effect.gen(function* () {
    const bodies: Array<Body> = []
    const arrived = yield* Deferred.make<void>()
    const http = ServiceHttp.layerScripted(({ body }) =>
      Effect.gen(function* () {
        const asked = JSON.parse(String(body)) as Body
        bodies.push(asked)
        if (bodies.length === questions.length) yield* Deferred.succeed(arrived, undefined)
        yield* Deferred.await(arrived)
        const wrong = refused.find(([parameter]) => parameter in asked)
        return wrong === undefined
          ? ServiceHttp.json(200, {
              output: [{ type: "message", content: [{ type: "output_text", text: "fine" }] }],
              choices: [{ finish_reason: "stop", message: { content: "fine" } }]
            })
          : ServiceHttp.json(400, { error: { code: "unsupported_value", message: wrong[1] } })
      })
    )
    return yield* Effect.gen(function* () {
      const models = yield* LanguageModel.LanguageModels
      const open = models.open({
        type: "test",
        endpoint: Services.endpoint(options.endpoint),
        deployment: "gpt",
        key: null,
        withIdentity: false,
        api: null,
        apiVersion: options.apiVersion,
        limits: { tokensPerMinute: null, requestsPerMinute: null },
        retries: { times: 0, delay: Duration.zero, factor: 2 },
        timeout: Duration.minutes(1)
      })
      const replies = yield* Effect.flatMap(open, ({ ask }) =>
        Effect.forEach(questions, ask, { concurrency: "unbounded" })
      )
      const before = bodies.length
      const [next] = yield* Effect.flatMap(open, ({ ask }) => Effect.forEach(questions.slice(0, 1), ask))
      return {
        texts: [...replies, ...(next === undefined ? [] : [next])].map(({ text }) => text),
        later: bodies.length - before
      }
    }).pipe(Effect.provide(HttpLanguageModel.layer.pipe(Layer.provide(Services.layer(http)))))
  })

const temperature = "Unsupported value: 'temperature' does not support 0.2 with this model."
const oldLimit = "Unsupported parameter: 'max_tokens' is not supported with this model."
const newLimit = "max_completion_tokens: extra inputs are not permitted."

describe("questions that are asked at the same time", () => {
  for (const [what, options, refused] of [
    ["a temperature", { endpoint: "https://res.openai.azure.com/", apiVersion: null }, [["temperature", temperature]]],
    [
      "a temperature, on Azure's older surface",
      { endpoint: "https://res.openai.azure.com/", apiVersion: "2024-10-21" },
      [["temperature", temperature]]
    ],
    ["the old name of the limit", { endpoint: "http://127.0.0.1/v1", apiVersion: null }, [["max_tokens", oldLimit]]],
    [
      "the new name of the limit, and a temperature",
      { endpoint: "https://res.openai.azure.com/", apiVersion: "2024-10-21" },
      [
        ["max_completion_tokens", newLimit],
        ["temperature", temperature]
      ]
    ]
  ] as const) {
    it.live(`are all asked again without ${what} when the model takes none`, () =>
      Effect.gen(function* () {
        const { later, texts } = yield* together(options, refused)
        assert.deepStrictEqual(texts, ["fine", "fine", "fine", "fine"])
        // The next node of this deployment is not refused.
        assert.strictEqual(later, 1)
      })
    )
  }

  it.live("end when the model takes neither name of the limit", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        together({ endpoint: "http://127.0.0.1/v1", apiVersion: null }, [
          ["max_tokens", oldLimit],
          ["max_completion_tokens", newLimit]
        ])
      )
      assert.strictEqual(error.reason, "Invalid")
    })
  )
})
