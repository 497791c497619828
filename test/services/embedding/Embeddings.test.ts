import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Embeddings from "../../../src/services/embedding/Embeddings.ts"
import * as ServiceHttp from "../../../src/services/ServiceHttp.ts"
import * as Services from "../../support/Services.ts"
import * as WorkTime from "../../support/WorkTime.ts"

/** What becomes of two texts whose vectors the service numbers so. */
const numbered = (...indexes: ReadonlyArray<unknown>) => {
  const data = indexes.map((index, place) => ({ index, embedding: [place, 1] }))
  const { layer } = Services.script(ServiceHttp.json(200, { data }))
  return Effect.gen(function* () {
    const models = yield* Embeddings.EmbeddingModels
    const model = yield* models.open({
      type: "test",
      endpoint: Services.endpoint("https://res.openai.azure.com/"),
      deployment: "embed",
      key: null,
      withIdentity: false,
      apiVersion: null,
      limits: { tokensPerMinute: null, requestsPerMinute: null },
      retries: { times: 0, delay: Duration.zero, factor: 2 },
      timeout: Duration.minutes(1)
    })
    return yield* model.embed({ texts: ["a", "b"], dimensions: null })
  }).pipe(Effect.provide(Embeddings.layer.pipe(Layer.provide(Services.layer(layer)))))
}

describe("vectors", () => {
  it.live("come in the order of the texts, however the service numbers them", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* numbered(0, 1), [
        [0, 1],
        [1, 1]
      ])
      assert.deepStrictEqual(yield* numbered(1, 0), [
        [1, 1],
        [0, 1]
      ])
      assert.deepStrictEqual(yield* numbered(undefined, undefined), [
        [0, 1],
        [1, 1]
      ])
    })
  )

  for (const indexes of [
    [0, 0],
    [0, 2],
    [0, -1],
    [0, 0.5],
    [0, 60_000_000],
    [1, 2, 0]
  ]) {
    it.live(`are refused at once when they are numbered ${indexes.join(", ")}`, () =>
      Effect.gen(function* () {
        const { millis, value: error } = yield* WorkTime.around(Effect.flip(numbered(...indexes)))
        assert.strictEqual(error.reason, "Unreadable")
        assert.match(error.message, /vectors/)
        assert.isBelow(millis, 2_000)
      })
    )
  }
})
