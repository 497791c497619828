import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import type { Content } from "../../../src/domain/Content.ts"
import { ExecutorId } from "../../../src/domain/Ids.ts"
import type { Executor } from "../../../src/executor/Executor.ts"
import { Meter } from "../../../src/executor/Usage.ts"
import type { CallError } from "../../../src/services/CallError.ts"
import * as LanguageModel from "../../../src/services/language/LanguageModel.ts"
import * as HttpLanguageModel from "../../../src/services/language/HttpLanguageModel.ts"
import * as ServiceHttp from "../../../src/services/ServiceHttp.ts"
import * as Services from "../../support/Services.ts"

export const item = (data: Readonly<Record<string, unknown>>): Content => ({
  id: {
    canonical_id: "doc",
    unique_id: "u",
    source_name: null,
    source_type: null,
    container: null,
    path: null,
    filename: "doc.txt",
    metadata: null
  },
  summary_data: {},
  data,
  executor_logs: []
})

export const base = { endpoint: "https://contoso.openai.azure.com/", deployment_name: "gpt", max_retries: 0 }

type Settings = Readonly<Record<string, unknown>>

/** Runs the node on these items with whatever model the layer has. */
export const runWith = (
  executor: Executor<LanguageModel.LanguageModels>,
  settings: Settings,
  items: ReadonlyArray<Content>,
  failOnError = true
) =>
  Effect.gen(function* () {
    const prepared = Either.getOrThrowWith(
      executor.prepare({ ...base, ...settings }),
      (problems) => new Error(problems.map(({ message }) => message).join(" "))
    )
    const meter = new Meter()
    const instance = yield* prepared({ id: ExecutorId.make("node"), pipelineName: "test", failOnError, meter })
    return yield* instance.process(items)
  }).pipe(Effect.scoped)

type Answer = string | object | CallError
type Script = (question: LanguageModel.Question) => Answer

/** A model that answers by the script, and what it was asked. */
export const model = (script: Script) => {
  const questions: Array<LanguageModel.Question> = []
  const layer = LanguageModel.layerScripted((question) =>
    Effect.suspend((): Effect.Effect<LanguageModel.Reply, CallError> => {
      questions.push(question)
      const answer = script(question)
      if (answer instanceof Error) return Effect.fail(answer)
      const text = typeof answer === "string" ? answer : JSON.stringify(answer)
      return Effect.succeed({ text, raw: { text } })
    })
  )
  return { questions, layer }
}

/** The document between the marks of a question. */
export const documentOf = ({ user }: LanguageModel.Question): string =>
  /^<<<DOCUMENT (\w+)>>>\n([\s\S]*)\n<<<END \1>>>$/.exec(user)?.[2] ?? ""

/** Runs a node on one text, and gives the item and the questions. */
export const analyse = (
  executor: Executor<LanguageModel.LanguageModels>,
  settings: Settings,
  text: unknown,
  script: Script
) => {
  const { layer, questions } = model(script)
  return Effect.map(
    runWith(executor, settings, [item(typeof text === "string" ? { text } : (text as Settings))]).pipe(
      Effect.provide(layer)
    ),
    ([result]) => ({
      item: result ?? item({}),
      data: result?.data ?? {},
      summary: result?.summary_data ?? {},
      questions
    })
  )
}

/** A model over HTTP. */
export const overHttp: Layer.Layer<LanguageModel.LanguageModels> = HttpLanguageModel.layer.pipe(
  Layer.provide(Services.layer(ServiceHttp.layer))
)

/** What is wrong with settings. */
export const problems = (executor: Executor<LanguageModel.LanguageModels>, settings: Settings): string =>
  Either.match(executor.prepare({ ...base, ...settings }), {
    onRight: () => "",
    onLeft: (found) => found.map(({ message }) => message).join(" ")
  })
