import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { type Content, withData, withSummary } from "../../domain/Content.ts"
import * as Executor from "../../executor/Executor.ts"
import * as PerItem from "../../executor/PerItem.ts"
import * as Settings from "../../executor/Settings.ts"
import * as StepKey from "../../executor/StepKey.ts"
import * as Usage from "../../executor/Usage.ts"
import * as DocumentIntelligence from "../../services/analysis/DocumentIntelligence.ts"
import { toExecutorError } from "../../services/CallError.ts"
import * as Endpoint from "../../services/Endpoint.ts"
import { ServiceClients } from "../../services/ServiceClients.ts"
import * as DocumentBytes from "../DocumentBytes.ts"
import * as KeptOperation from "../KeptOperation.ts"
import * as ServiceSignIn from "../ServiceSignIn.ts"
import * as AnalysisFindings from "./parsing/AnalysisFindings.ts"
import * as Findings from "./parsing/Findings.ts"
import { ifAny } from "./parsing/IfAny.ts"

const settings = {
  ...PerItem.settings(),
  ...DocumentBytes.settings,
  output_field: Settings.string({ description: "Key of data for what is found.", default: "doc_intell_output" }),
  model_id: Settings.string({
    description: "The model: prebuilt-layout, prebuilt-read, prebuilt-invoice, … or one of your own.",
    default: "prebuilt-layout"
  }),
  extract_text: Settings.boolean({ description: "Put the whole text into text.", default: true }),
  extract_tables: Settings.boolean({
    description: "Put tables into tables: their cells, and the same as rows of texts in data.",
    default: true
  }),
  extract_figures: Settings.boolean({ description: "Put figures with their captions into figures.", default: true }),
  extract_key_value_pairs: Settings.boolean({
    description: "Put pairs of names and values into key_value_pairs. prebuilt-layout is asked for them by itself.",
    default: false
  }),
  pages: Settings.string({ description: "Which pages to analyse, such as 1-3,5; all when absent.", default: null }),
  locale: Settings.string({ description: "The language of the documents, such as en-US.", default: null }),
  doc_intel_features: Settings.list({
    description: "Features beyond the model's own, such as ocrHighResolution, formulas, languages.",
    default: null
  }),
  output_format: Settings.choice(["markdown", "text"], {
    description: "The form of the whole text.",
    default: "markdown"
  }),
  include_full_result: Settings.boolean({
    description: "Put the service's whole result into data, under output_field with _full_result behind it.",
    default: false
  }),
  doc_intelligence_endpoint: Settings.string({
    description: "The resource: https://<resource>.cognitiveservices.azure.com/.",
    required: true
  }),
  doc_intelligence_credential_type: ServiceSignIn.type(
    ["default_azure_credential", "azure_key_credential"],
    "doc_intelligence_credential_key"
  ),
  doc_intelligence_credential_key: Settings.secret({
    description: "The key, for azure_key_credential.",
    default: null
  }),
  doc_intelligence_api_version: Settings.string({ description: "The service's version.", default: "2024-11-30" }),
  polling_interval_seconds: Settings.pace(
    Settings.number({
      description:
        "Seconds between the first looks at an analysis; they grow to 34. The service's own word counts more.",
      default: 2,
      min: 0.1,
      max: 60
    })
  ),
  ...ServiceSignIn.retries,
  requests_per_minute: ServiceSignIn.requestsPerMinute
}

type Decoded = Settings.TypeOf<typeof settings>

/** `azure_document_intelligence_extractor`: text, tables, figures and pairs of scans and documents, found by Azure AI Document Intelligence. */
export const executor = Executor.define({
  type: "azure_document_intelligence_extractor",
  aliases: ["document_intelligence_extractor"],
  category: "extract",
  cost: "paid",
  name: "Azure Document Intelligence Extractor",
  description: "Extracts text, tables, figures and key-value pairs using Azure AI Document Intelligence.",
  settings,
  check: (given) => [
    ...ServiceSignIn.problems({
      endpoint: ["doc_intelligence_endpoint", given.doc_intelligence_endpoint],
      type: ["doc_intelligence_credential_type", given.doc_intelligence_credential_type],
      key: ["doc_intelligence_credential_key", given.doc_intelligence_credential_key]
    }),
    ...ServiceSignIn.named(
      "model_id",
      given.model_id,
      DocumentIntelligence.isModelName(given.model_id),
      "must be a model's name: letters, digits and . _ ~ -"
    ),
    ...(given.pages === null || /^\d+(-\d+)?(\s*,\s*\d+(-\d+)?)*$/.test(given.pages)
      ? []
      : [{ path: ["pages"], message: "The setting pages must name pages like 1-3,5, counted from 1." }])
  ],
  make: (given, context) =>
    Effect.gen(function* () {
      const clients = yield* ServiceClients
      const bytesOf = yield* DocumentBytes.make(context, given)
      const endpoint = yield* Either.mapLeft(Endpoint.parse(given.doc_intelligence_endpoint), (problem) =>
        ServiceSignIn.settingError(context, `The setting doc_intelligence_endpoint ${problem}`)
      )
      const within = Duration.seconds(given.timeout_secs)
      const client = yield* Effect.mapError(
        clients.open({
          service: "Document Intelligence",
          noun: "model",
          type: "azure_document_intelligence_extractor",
          run: context.run,
          meter: context.meter,
          endpoint,
          signIn: ServiceSignIn.of(
            "Ocp-Apim-Subscription-Key",
            "https://cognitiveservices.azure.com/.default",
            given.doc_intelligence_credential_type === "default_azure_credential"
              ? null
              : given.doc_intelligence_credential_key
          ),
          deployment: given.model_id,
          settings: {
            key: "doc_intelligence_credential_key",
            endpoint: "doc_intelligence_endpoint",
            deployment: "model_id"
          },
          limits: { tokensPerMinute: null, requestsPerMinute: given.requests_per_minute },
          retries: ServiceSignIn.retriesOf(given),
          timeout: Duration.min(within, Duration.minutes(5))
        }),
        toExecutorError(context)
      )
      const work = (
        item: Content,
        keep: (changed: Content) => void,
        note: (details: Readonly<Record<string, unknown>>) => void,
        progress: Executor.StepProgress
      ) =>
        Effect.gen(function* () {
          const meter = new Usage.Meter(context.meter)
          const document = new Uint8Array(yield* bytesOf(item))
          const analysis = yield* DocumentIntelligence.analyze(client, {
            model: given.model_id,
            apiVersion: given.doc_intelligence_api_version,
            document,
            format: given.output_format,
            features: featuresOf(given),
            pages: given.pages?.replaceAll(/\s+/g, "") ?? null,
            locale: given.locale,
            interval: Duration.seconds(given.polling_interval_seconds),
            within,
            address: KeptOperation.address(progress),
            meter
          }).pipe(
            Effect.mapError(toExecutorError(context, item)),
            Effect.tapError(() => Effect.sync(() => keep(Usage.noted(context, item, meter))))
          )
          progress.writes([
            given.output_field,
            `${given.output_field}_full_result`,
            "pages_analyzed",
            "extraction_status",
            "extraction_warnings"
          ])
          const { lack, warnings } = AnalysisFindings.of(
            textOf(analysis.result),
            analysis.result.tables.flatMap(({ cells }) => cells.map(({ content }) => content)),
            analysis.result.warnings
          )
          note(Findings.detailsOf(warnings))
          yield* Findings.log(item, warnings)
          const found = withAnalysis(given, item, analysis, warnings, lack?.status ?? "success")
          return Usage.noted(context, Findings.withWarnings(found, warnings), meter)
        })
      return PerItem.perItem(
        context,
        given,
        (item, keep, note, progress) => work(item, keep, note, progress),
        (item) => Effect.flatMap(bytesOf(item), (bytes) => StepKey.ofBytes(new Uint8Array(bytes)))
      )
    })
})

const featuresOf = ({ doc_intel_features, extract_key_value_pairs, model_id }: Decoded): ReadonlyArray<string> => [
  ...new Set([
    ...(doc_intel_features ?? []),
    ...(extract_key_value_pairs && model_id === "prebuilt-layout" ? ["keyValuePairs"] : [])
  ])
]

const textOf = ({ content, paragraphs }: DocumentIntelligence.AnalyzeResult): string =>
  content ?? paragraphs.map((paragraph) => paragraph.content ?? "").join("\n\n")

const withAnalysis = (
  given: Decoded,
  item: Content,
  { raw, result }: DocumentIntelligence.Analysis,
  warnings: ReadonlyArray<string>,
  extraction_status: string
): Content => {
  const text = textOf(result)
  const output = {
    ...(given.extract_text ? { text } : {}),
    ...(given.extract_tables ? { tables: result.tables.map(tableOf) } : {}),
    ...(given.extract_key_value_pairs ? { key_value_pairs: pairsOf(result) } : {}),
    ...(given.extract_figures
      ? {
          figures: result.figures.map(({ boundingRegions, caption, id, spans }, index) => ({
            id: id ?? String(index),
            page_number: boundingRegions[0]?.pageNumber ?? -1,
            content: spans.map(({ length, offset }) => text.slice(offset, offset + length)).join(""),
            caption: caption?.content ?? null
          }))
        }
      : {}),
    ...(result.pages.length > 0
      ? {
          pages: result.pages.map(({ height, lines, pageNumber, unit, width }) => ({
            page_number: pageNumber,
            width,
            height,
            unit,
            text: lines.map(({ content }) => content ?? "").join("\n")
          }))
        }
      : {}),
    ...ifAny("warnings", warnings)
  }
  return withSummary(
    withData(item, {
      [given.output_field]: output,
      ...(given.include_full_result ? { [`${given.output_field}_full_result`]: raw } : {})
    }),
    { pages_analyzed: result.pages.length, extraction_status }
  )
}

/** A matrix of more fields than this is not made: a table may claim any size. */
const mostFields = 1_000_000

const tableOf = ({ cells, columnCount, rowCount }: DocumentIntelligence.AnalyzeResult["tables"][number]) => {
  const fits = rowCount >= 0 && columnCount >= 0 && rowCount * columnCount <= mostFields
  const data = Array.from({ length: fits ? rowCount : 0 }, () => Array.from({ length: columnCount }, () => ""))
  for (const { columnIndex, content, rowIndex } of cells) {
    const row = data[rowIndex]
    if (row !== undefined && columnIndex in row) row[columnIndex] = content ?? ""
  }
  return {
    row_count: rowCount,
    column_count: columnCount,
    cells: cells.map(({ columnIndex, content, kind, rowIndex }) => ({
      row_index: rowIndex,
      column_index: columnIndex,
      content: content ?? "",
      kind
    })),
    data
  }
}

const pairsOf = ({ keyValuePairs }: DocumentIntelligence.AnalyzeResult): Readonly<Record<string, string>> =>
  Object.fromEntries(
    keyValuePairs.flatMap(({ key, value }) =>
      typeof key?.content === "string" && typeof value?.content === "string" ? [[key.content, value.content]] : []
    )
  )
