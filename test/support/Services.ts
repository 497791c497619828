import * as FileSystem from "@effect/platform/FileSystem"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type { RunFacts } from "../../src/executor/RunFacts.ts"
import * as EndpointValves from "../../src/concurrency/EndpointValves.ts"
import * as WorkerConfig from "../../src/config/WorkerConfig.ts"
import * as ContentUnderstanding from "../../src/services/analysis/ContentUnderstanding.ts"
import * as Embeddings from "../../src/services/embedding/Embeddings.ts"
import * as Endpoint from "../../src/services/Endpoint.ts"
import * as Governor from "../../src/services/Governor.ts"
import * as HttpLanguageModel from "../../src/services/language/HttpLanguageModel.ts"
import * as SearchIndexes from "../../src/services/search/SearchIndexes.ts"
import * as ServiceClients from "../../src/services/ServiceClients.ts"
import * as ServiceHttp from "../../src/services/ServiceHttp.ts"

/** Clients over a transport of the test's own. */
export const layer = (
  http: Layer.Layer<ServiceHttp.ServiceHttp>,
  config: Partial<WorkerConfig.EngineSettings> = {}
): Layer.Layer<ServiceClients.ServiceClients> =>
  ServiceClients.layer.pipe(
    Layer.provide([
      http,
      EndpointValves.layer,
      Governor.layer,
      WorkerConfig.layerWith(config),
      FileSystem.layerNoop({})
    ])
  )

/** All that types need of model, analysis and search services, over such a transport. */
export const all = (http: Layer.Layer<ServiceHttp.ServiceHttp>) =>
  Layer.mergeAll(
    HttpLanguageModel.layer,
    Embeddings.layer,
    ContentUnderstanding.layer,
    SearchIndexes.layer,
    FileSystem.layerNoop({})
  ).pipe(Layer.provideMerge(layer(http)))

export type Scripted = ServiceHttp.HttpAnswer | ServiceHttp.HttpFailure | "silence"

/** A transport that gives these answers in turn, the last one again and again; and what it was asked. */
export const script = (...answers: ReadonlyArray<Scripted>) => {
  const requests: Array<ServiceHttp.HttpRequest> = []
  const layer = ServiceHttp.layerScripted((request) =>
    Effect.suspend(() => {
      requests.push(request)
      const answer = answers[Math.min(requests.length, answers.length) - 1]
      if (answer === undefined) return Effect.dieMessage("the script is empty")
      if (answer === "silence") return Effect.never
      return "status" in answer ? Effect.succeed(answer) : Effect.fail(answer)
    })
  )
  return { requests, layer }
}

export const endpoint = (text: string): Endpoint.Endpoint =>
  Either.getOrThrowWith(Endpoint.parse(text), (message) => new Error(message))

export const options = (some: Partial<ServiceClients.ClientOptions> = {}): ServiceClients.ClientOptions => ({
  service: "Azure OpenAI",
  type: "test",
  endpoint: endpoint("https://res.openai.azure.com/openai/v1/"),
  signIn: { _tag: "Key", header: "api-key", prefix: "", key: Redacted.make("key-of-the-test") },
  deployment: "gpt",
  settings: { key: "api_key", endpoint: "endpoint", deployment: "deployment_name" },
  retries: { times: 3, delay: Duration.seconds(1), factor: 2 },
  timeout: Duration.seconds(60),
  ...some
})

/** The facts of a task's attempt, by the name of its execution. */
export const run = (executionId: string): RunFacts => ({
  pipelineId: "pipeline",
  vaultId: null,
  executionId,
  taskId: executionId,
  attempt: 1,
  createdAt: null
})
