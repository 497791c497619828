import { assert, describe, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import { ExecutorId } from "../../../src/domain/Ids.ts"
import type { Executor } from "../../../src/executor/Executor.ts"
import type { EmbeddingModels } from "../../../src/services/embedding/Embeddings.ts"
import type { LanguageModels } from "../../../src/services/language/LanguageModel.ts"
import * as ModelServer from "../../support/ModelServer.ts"
import * as Prism from "../../support/Prism.ts"
import * as RoutedServices from "../../support/RoutedServices.ts"
import * as StandIn from "../../support/StandIn.ts"
import { item } from "../analyse/Analysed.ts"
import * as SettingCases from "./SettingCases.ts"

export type Data = Readonly<Record<string, unknown>>

/** What a run came to, and what the service was asked. */
export interface Seen {
  readonly data: Data
  readonly summary: Data
  /** The data of each item that came out. */
  readonly items: ReadonlyArray<Data>
  readonly error: string
  readonly questions: ReadonlyArray<ModelServer.Question>
  /** Milliseconds between one request and the next. */
  readonly gaps: ReadonlyArray<number>
  /** The most requests at the same time. */
  readonly most: number
}

/** A value of a setting, and what follows from it. */
export interface Case {
  readonly value: unknown
  readonly with?: SettingCases.Settings
  readonly items?: ReadonlyArray<Data>
  readonly reply?: (question: ModelServer.Question, place: number) => ModelServer.Reply | Promise<ModelServer.Reply>
  readonly expect: (seen: Seen) => void
}

type Needed = LanguageModels | EmbeddingModels
type Runnable = Omit<Executor<never>, "prepare"> & { readonly prepare: Executor<Needed>["prepare"] }

/** A type that calls a model. */
export interface ModelType {
  readonly executor: Runnable
  /** Its own required settings. */
  readonly required: SettingCases.Settings
  readonly defaults: SettingCases.Settings
  /** An item that it works on. */
  readonly data: Data
  /** A right answer of the model. */
  readonly reply: (question: ModelServer.Question) => ModelServer.Reply
  /** Its output, with the defaults. */
  readonly output: { readonly key: string; readonly value: unknown }
  readonly cases: Readonly<Record<string, ReadonlyArray<Case>>>
}

export const base = {
  endpoint: "https://contoso.openai.azure.com/",
  deployment_name: "gpt",
  credential_type: "azure_key_credential",
  api_key: ModelServer.key,
  max_retries: 0
}

const v1 = Prism.description("openai-subset.json")
const deployments = Prism.description("aoai.prism.json")

const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` })

/**
 * Of OpenAI's description what conversations of plain messages need: of the items that they may hold, a message would match two kinds, and the
 * tools would take Prism seconds. Azure's own v1 surface takes keys by their own header, too.
 */
const plain = (document: Record<string, unknown>): Record<string, unknown> => {
  const components = document["components"] as Record<string, Record<string, unknown>>
  return reachable({
    ...document,
    components: {
      ...components,
      schemas: {
        ...components["schemas"],
        InputItem: ref("EasyInputMessage"),
        OutputItem: ref("OutputMessage"),
        Tool: { type: "object" },
        ToolChoiceParam: { type: "string" }
      },
      securitySchemes: {
        ...components["securitySchemes"],
        AzureKey: { type: "apiKey", in: "header", name: "api-key" }
      }
    },
    security: [{ ApiKeyAuth: [] }, { AzureKey: [] }]
  })
}

/** The JSON schema of an answer needs no `type` beside its name: no such property is described, and the service's own examples have none. */
const withoutSlip = (document: Record<string, unknown>): Record<string, unknown> =>
  JSON.parse(JSON.stringify(document).replaceAll('"required":["type","name"]', '"required":["name"]')) as Record<
    string,
    unknown
  >

/** Without schemas that nothing refers to. */
const reachable = (document: Record<string, unknown>): Record<string, unknown> => {
  const components = document["components"] as Record<string, Record<string, unknown>>
  const schemas = components["schemas"] ?? {}
  const names = new Set<string>()
  const visit = (value: unknown): void => {
    for (const [, name = ""] of (JSON.stringify(value) ?? "").matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
      if (names.has(name)) continue
      names.add(name)
      visit(schemas[name])
    }
  }
  visit({ ...document, components: { ...components, schemas: undefined } })
  return {
    ...document,
    components: { ...components, schemas: Object.fromEntries([...names].map((name) => [name, schemas[name]])) }
  }
}

class World extends Context.Tag("contentflow-worker/test/executors/settings/World")<
  World,
  {
    readonly run: (
      type: ModelType,
      settings: SettingCases.Settings,
      one: Omit<Case, "value" | "expect">
    ) => Effect.Effect<Seen>
    readonly v1Url: string
    readonly deploymentsUrl: string
  }
>() {}

const world = Layer.scoped(
  World,
  Effect.gen(function* () {
    let reply: NonNullable<Case["reply"]> = () => "unused"
    let place = 0
    const standIn = yield* StandIn.make((asked) => {
      place += 1
      return ModelServer.respond(reply)(asked, place - 1)
    })
    const [v1Url, deploymentsUrl] = yield* Effect.all(
      [
        v1 === undefined ? Effect.succeed(standIn.url) : Prism.between(plain(v1), standIn.url),
        deployments === undefined ? Effect.succeed(standIn.url) : Prism.between(withoutSlip(deployments), standIn.url)
      ],
      { concurrency: 2 }
    )
    const route: RoutedServices.Route = ({ hostname, pathname }) =>
      hostname === "llm.test"
        ? `${v1Url}/openai`
        : hostname !== "contoso.openai.azure.com"
          ? undefined
          : pathname.startsWith("/openai/deployments/")
            ? deploymentsUrl
            : v1Url
    return {
      v1Url,
      deploymentsUrl,
      run: (type, settings, one) =>
        Effect.gen(function* () {
          reply = one.reply ?? type.reply
          place = 0
          const from = standIn.asked.length
          standIn.reset()
          const executor: Executor<Needed> = type.executor
          const prepared = executor.prepare(settings)
          const result = Either.isLeft(prepared)
            ? Either.left(prepared.left.map(({ message }) => message).join(" "))
            : yield* prepared.right({ id: ExecutorId.make("node"), pipelineName: "test", failOnError: true }).pipe(
                Effect.flatMap((instance) => instance.process((one.items ?? [type.data]).map(item))),
                Effect.mapError(({ message }) => message),
                Effect.either,
                Effect.scoped,
                // A governor of its own for each run.
                Effect.provide(Layer.fresh(RoutedServices.layer(route)))
              )
          const items = Either.getOrElse(result, () => [])
          const asked = standIn.asked.slice(from)
          return {
            data: items[0]?.data ?? {},
            summary: items[0]?.summary_data ?? {},
            items: items.map(({ data }) => data),
            error: Either.isLeft(result) ? result.left : "",
            questions: asked.map(ModelServer.questionOf),
            gaps: asked.slice(1).map(({ at }, index) => at - (asked[index]?.at ?? at)),
            most: standIn.most()
          }
        })
    }
  })
)

const how =
  v1 === undefined || deployments === undefined
    ? "without the services' descriptions, which are not in ../shared/specs"
    : "each request and answer compared with the service's own description"

/** Runs all cases of these types over HTTP. */
export const runAll = (
  types: ReadonlyArray<readonly [type: ModelType, shared: (type: ModelType) => ModelType["cases"]]>
): void => {
  describe(`settings, ${how}`, () => {
    for (const [type, shared] of types) {
      const { defaults, executor, required } = type
      const cases = { ...shared(type), ...type.cases }
      const complete = { ...base, ...required }
      SettingCases.checked({
        executor,
        problems: SettingCases.problemsOf(executor),
        required: complete,
        defaults,
        values: cases
      })
    }
    layer(world, { excludeTestServices: true, timeout: "2 minutes" })((it) => {
      it.effect.skipIf(v1 === undefined || deployments === undefined)("descriptions refuse what breaks them", () =>
        Effect.gen(function* () {
          const { deploymentsUrl, v1Url } = yield* World
          const messages = [{ role: "user", content: "a" }]
          const wrong: ReadonlyArray<readonly [url: string, body: Data]> = [
            [`${v1Url}/openai/v1/responses`, { model: "gpt", input: "a", temperature: 9 }],
            [`${v1Url}/openai/v1/chat/completions`, { model: "gpt", messages, temperature: 9 }],
            [`${v1Url}/openai/v1/embeddings`, { model: "embed", input: "a", dimensions: 0 }],
            [
              `${deploymentsUrl}/openai/deployments/gpt/chat/completions?api-version=2024-10-21`,
              { messages, temperature: 9 }
            ],
            [`${deploymentsUrl}/openai/deployments/embed/embeddings?api-version=2024-10-21`, { input: 9 }]
          ]
          for (const [url, body] of wrong) {
            const headers = { "content-type": "application/json", "api-key": ModelServer.key }
            assert.strictEqual(
              yield* Prism.refusal(url, { method: "POST", headers, body: JSON.stringify(body) }),
              422,
              url
            )
          }
        })
      )
      for (const [type, shared] of types) {
        const { executor, output, required } = type
        const cases = { ...shared(type), ...type.cases }
        const complete = { ...base, ...required }
        it.effect(`${executor.type} works with its defaults`, () =>
          Effect.gen(function* () {
            const { run } = yield* World
            const { data, error, summary } = yield* run(type, complete, {})
            assert.strictEqual(error, "")
            assert.deepStrictEqual(data[output.key], output.value)
            const usage = summary["usage"] as Record<string, ReadonlyArray<Data>>
            assert.isAbove(Number(usage["node"]?.[0]?.["input_tokens"]), 0)
          })
        )
        for (const [setting, all] of Object.entries(cases)) {
          for (const [index, one] of all.entries()) {
            it.effect(`${executor.type}, ${setting}: ${nameOf(one.value)} (${index + 1})`, () =>
              Effect.gen(function* () {
                const { run } = yield* World
                one.expect(yield* run(type, { ...complete, ...one.with, [setting]: one.value }, one))
              })
            )
          }
        }
      }
    })
  })
}

const nameOf = (value: unknown): string => (JSON.stringify(value) ?? "absent").slice(0, 60)
