import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as ExactJson from "../../domain/ExactJson.ts"
import { type Content, nameOf, withData, withSummary } from "../../domain/Content.ts"
import * as Executor from "../../executor/Executor.ts"
import { isObject } from "../../executor/DottedPath.ts"
import * as PerItem from "../../executor/PerItem.ts"
import * as Settings from "../../executor/Settings.ts"
import * as StepKey from "../../executor/StepKey.ts"
import * as Usage from "../../executor/Usage.ts"
import * as Understanding from "../../services/analysis/ContentUnderstanding.ts"
import { mayHeal, toExecutorError } from "../../services/CallError.ts"
import * as Endpoint from "../../services/Endpoint.ts"
import * as DocumentBytes from "../DocumentBytes.ts"
import * as KeptOperation from "../KeptOperation.ts"
import * as ServiceSignIn from "../ServiceSignIn.ts"
import * as AnalysisFindings from "./parsing/AnalysisFindings.ts"
import * as Findings from "./parsing/Findings.ts"

const settings = {
  ...PerItem.settings(),
  ...DocumentBytes.settings,
  content_field: Settings.string({
    description:
      "Key of data that holds the document's bytes (or their base64 text), for items without a file in temp_file_path_field.",
    default: null
  }),
  output_field: Settings.string({
    description: "Key of data for the service's whole answer.",
    default: "content_understanding_result"
  }),
  analyzer_id: Settings.string({
    description: "The analyzer: a prebuilt one, or one of your own.",
    default: "prebuilt-documentSearch"
  }),
  retrieve_figures: Settings.boolean({ description: "Fetch the images of figures.", default: false }),
  figures_output_field: Settings.string({ description: "Key of data for the images.", default: "figures" }),
  max_figures: Settings.integer({
    description: "More images of one document are left out, with a warning.",
    default: 500,
    min: 0
  }),
  content_understanding_endpoint: Settings.string({
    description: "The resource: https://<resource>.services.ai.azure.com/.",
    required: true
  }),
  content_understanding_credential_type: ServiceSignIn.type(
    ["default_azure_credential", "subscription_key", "azure_key_credential"],
    "content_understanding_subscription_key"
  ),
  content_understanding_subscription_key: Settings.secret({
    description: "The key, for subscription_key and azure_key_credential.",
    default: null
  }),
  content_understanding_api_version: Settings.string({ description: "The service's version.", default: "2025-11-01" }),
  content_understanding_timeout: Settings.pace(
    Settings.integer({
      description: "Seconds that one request, and an analysis as a whole, may take.",
      default: 60,
      min: 1
    })
  ),
  content_understanding_polling_interval: Settings.pace(
    Settings.integer({
      description: "Seconds between the first looks at an analysis; they grow to ten.",
      default: 2,
      min: 1
    })
  ),
  content_understanding_max_retries: Settings.pace(
    Settings.integer({
      description: "Calls after the first, when a call failed for a reason that may pass.",
      default: 3,
      min: 0,
      max: 20
    })
  ),
  content_understanding_retry_backoff_factor: Settings.pace(
    Settings.number({
      description: "The first wait is a second, and each further one longer by this factor.",
      default: 2,
      min: 1
    })
  ),
  content_understanding_model_mappings: Settings.custom<Readonly<Record<string, string>>, Settings.RequiredSetting>(
    "string",
    {
      description:
        'The deployment of each model that analyzers use, as a mapping or as JSON text: {"gpt-4.1": "my-gpt-41"}. {} leaves those of the resource as they are.',
      required: true
    },
    (raw) => {
      const value = typeof raw === "string" ? parse(raw) : raw
      if (!isObject(value)) return Either.left("must be a mapping of models to deployments, or such JSON as text.")
      const wrong = Object.entries(value).find(([, deployment]) => typeof deployment !== "string" || deployment === "")
      if (wrong !== undefined) return Either.left(`must give a deployment for ${wrong[0]}.`)
      const placeholder = Object.values(value).find((name) => Endpoint.isPlaceholder(String(name)))
      return placeholder === undefined
        ? Either.right(value as Readonly<Record<string, string>>)
        : Either.left(
            `still has the placeholder ${JSON.stringify(placeholder)}: put the name of your deployment there.`
          )
    }
  ),
  requests_per_minute: ServiceSignIn.requestsPerMinute
}

const parse = (text: string): unknown => {
  try {
    return ExactJson.parse(text)
  } catch {
    return undefined
  }
}

type Decoded = Settings.TypeOf<typeof settings>

/** `azure_content_understanding_extractor`: the whole answer of an analyzer of Azure AI Content Understanding, and figures' images. */
export const executor = Executor.define({
  type: "azure_content_understanding_extractor",
  category: "extract",
  cost: "paid",
  name: "Azure Content Understanding Extractor",
  description: "Analyses documents with an analyzer of Azure AI Content Understanding.",
  settings,
  check: (given) => [
    ...ServiceSignIn.problems({
      endpoint: ["content_understanding_endpoint", given.content_understanding_endpoint],
      type: ["content_understanding_credential_type", given.content_understanding_credential_type],
      key: ["content_understanding_subscription_key", given.content_understanding_subscription_key]
    }),
    ...ServiceSignIn.named(
      "analyzer_id",
      given.analyzer_id,
      Understanding.isAnalyzerName(given.analyzer_id),
      "must be an analyzer's name: up to 64 letters, digits and . _ -"
    )
  ],
  make: (given, context) =>
    Effect.gen(function* () {
      const services = yield* Understanding.ContentUnderstandings
      // The file goes before the bytes here.
      const fromFile = yield* DocumentBytes.make(context, { ...given, content_field: null })
      const fromBytes = yield* DocumentBytes.make(context, given)
      const endpoint = yield* Either.mapLeft(Endpoint.parse(given.content_understanding_endpoint), (problem) =>
        ServiceSignIn.settingError(context, `The setting content_understanding_endpoint ${problem}`)
      )
      const timeout = Duration.seconds(given.content_understanding_timeout)
      const service = yield* Effect.mapError(
        services.open(
          {
            service: "Content Understanding",
            noun: "analyzer",
            type: "azure_content_understanding_extractor",
            run: context.run,
            meter: context.meter,
            endpoint,
            signIn: ServiceSignIn.of(
              "Ocp-Apim-Subscription-Key",
              "https://cognitiveservices.azure.com/.default",
              given.content_understanding_credential_type === "default_azure_credential"
                ? null
                : given.content_understanding_subscription_key
            ),
            deployment: given.analyzer_id,
            settings: {
              key: "content_understanding_subscription_key",
              endpoint: "content_understanding_endpoint",
              deployment: "analyzer_id"
            },
            limits: { tokensPerMinute: null, requestsPerMinute: given.requests_per_minute },
            retries: {
              times: given.content_understanding_max_retries,
              delay: Duration.seconds(1),
              factor: given.content_understanding_retry_backoff_factor
            },
            timeout
          },
          given.content_understanding_api_version,
          given.content_understanding_model_mappings
        ),
        toExecutorError(context)
      )
      const bytesOf = (item: Content) => {
        const path = item.data[given.temp_file_path_field]
        return typeof path === "string" && path !== "" ? fromFile(item) : fromBytes(item)
      }
      const work = (
        item: Content,
        keep: (changed: Content) => void,
        note: (details: Readonly<Record<string, unknown>>) => void,
        progress: Executor.StepProgress
      ) =>
        Effect.gen(function* () {
          const meter = new Usage.Meter(context.meter)
          const interval = Duration.seconds(given.content_understanding_polling_interval)
          const found = yield* service
            .analyze({
              analyzer: given.analyzer_id,
              document: new Uint8Array(yield* bytesOf(item)),
              interval,
              longest: Duration.max(interval, Duration.seconds(10)),
              within: timeout,
              address: KeptOperation.address(progress),
              meter
            })
            .pipe(
              Effect.mapError(toExecutorError(context, item)),
              Effect.tapError(() => Effect.sync(() => keep(Usage.noted(context, item, meter))))
            )
          progress.writes([
            given.output_field,
            given.figures_output_field,
            "extraction_status",
            "extraction_warnings",
            "analyzer_id"
          ])
          const { contents, warnings: told } = found.result
          const texts = contents.map(({ markdown }) => markdown ?? "").join("\n")
          const hasFields = contents.some(
            ({ fields }) => fields !== undefined && fields !== null && Object.keys(fields).length > 0
          )
          const { lack, warnings } = AnalysisFindings.of(hasFields ? undefined : texts, [], told)
          note(Findings.detailsOf(warnings))
          yield* Findings.log(item, warnings)
          const figures = given.retrieve_figures ? yield* imagesOf(service, given, item, found, progress) : []
          const written = withData(item, {
            [given.output_field]: warnings.length === 0 ? found.raw : { ...found.raw, warnings },
            ...(figures.length > 0 ? { [given.figures_output_field]: figures } : {})
          })
          const stamped = withSummary(written, {
            extraction_status: lack?.status ?? "success",
            analyzer_id: given.analyzer_id
          })
          return Usage.noted(context, Findings.withWarnings(stamped, warnings), meter)
        })
      return PerItem.perItem(
        context,
        given,
        (item, keep, note, progress) => work(item, keep, note, progress),
        (item) => Effect.flatMap(bytesOf(item), (bytes) => StepKey.ofBytes(new Uint8Array(bytes)))
      )
    })
})

/** What of a figure's description goes along with its image. */
const kept = ["boundingRegions", "source", "span", "caption", "description", "elements"]

/** One image that can't be had is left out: the analysis is paid for already. */
const imagesOf = (
  service: Understanding.ContentUnderstanding,
  given: Decoded,
  item: Content,
  { figures, operationId }: Understanding.Analysis,
  progress: Executor.StepProgress
) => {
  const wanted = figures.flatMap((figure) => (typeof figure["id"] === "string" ? [{ figure, id: figure["id"] }] : []))
  const skipped = wanted.length - given.max_figures
  return Effect.zipRight(
    skipped > 0
      ? Effect.logWarning(`${skipped} figures of ${nameOf(item)} are left out (setting max_figures)`)
      : Effect.void,
    Effect.map(
      Effect.forEach(
        operationId === undefined ? [] : wanted.slice(0, given.max_figures),
        ({ figure, id }) =>
          service.figure(operationId ?? "", id).pipe(
            Effect.map(({ bytes, contentType }) => [
              {
                id,
                bytes,
                content_type: contentType,
                ...Object.fromEntries(kept.flatMap((key) => (key in figure ? [[key, figure[key]]] : [])))
              }
            ]),
            Effect.catchAll((error) => {
              // The next run can have it; the analysis itself is found again by its address.
              if (mayHeal(error)) progress.discard()
              return Effect.as(Effect.logWarning(`A figure of ${nameOf(item)} is left out: ${error.message}`), [])
            })
          ),
        { concurrency: 4 }
      ),
      (images) => images.flat()
    )
  )
}
