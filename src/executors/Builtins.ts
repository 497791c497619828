import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as ValvedBlobs from "../blob/ValvedBlobs.ts"
import * as EndpointValves from "../concurrency/EndpointValves.ts"
import { WorkerConfig } from "../config/WorkerConfig.ts"
import * as ContentUnderstanding from "../services/analysis/ContentUnderstanding.ts"
import * as Embeddings from "../services/embedding/Embeddings.ts"
import * as HttpLanguageModel from "../services/language/HttpLanguageModel.ts"
import * as SearchIndexes from "../services/search/SearchIndexes.ts"
import * as ServiceClients from "../services/ServiceClients.ts"
import * as Catalog from "../executor/Catalog.ts"
import type { Executor } from "../executor/Executor.ts"
import * as ExecutorFiles from "../executor/ExecutorFiles.ts"
import { executor as azureOpenAiAgent } from "./analyse/AzureOpenAiAgent.ts"
import { executor as azureOpenAiEmbeddings } from "./analyse/AzureOpenAiEmbeddings.ts"
import { executor as contentClassifier } from "./analyse/ContentClassifier.ts"
import { executor as contentTranslator } from "./analyse/ContentTranslator.ts"
import { executor as entityExtractor } from "./analyse/EntityExtractor.ts"
import { executor as keywordExtractor } from "./analyse/KeywordExtractor.ts"
import { executor as languageDetector } from "./analyse/LanguageDetector.ts"
import { executor as piiDetector } from "./analyse/PiiDetector.ts"
import { executor as sentimentAnalyser } from "./analyse/SentimentAnalyser.ts"
import { executor as textSummarizer } from "./analyse/TextSummarizer.ts"
import { executor as forEachContent } from "./control/ForEachContent.ts"
import { executor as passThrough } from "./control/PassThrough.ts"
import { executor as subpipeline } from "./control/Subpipeline.ts"
import { executor as crossDocumentComparison } from "./documentset/CrossDocumentComparison.ts"
import { executor as crossDocumentFieldAggregator } from "./documentset/CrossDocumentFieldAggregator.ts"
import { executor as documentSetCollector } from "./documentset/DocumentSetCollector.ts"
import { executor as documentSetInitializer } from "./documentset/DocumentSetInitializer.ts"
import { executor as azureContentUnderstandingExtractor } from "./extract/AzureContentUnderstandingExtractor.ts"
import { executor as azureDocumentIntelligenceExtractor } from "./extract/AzureDocumentIntelligenceExtractor.ts"
import { executor as csvExtractor } from "./extract/CsvExtractor.ts"
import { executor as documentExtractor } from "./extract/DocumentExtractor.ts"
import { executor as excelExtractor } from "./extract/ExcelExtractor.ts"
import { executor as ocrExtractor } from "./extract/OcrExtractor.ts"
import { executor as pdfExtractor } from "./extract/PdfExtractor.ts"
import { executor as powerpointExtractor } from "./extract/PowerpointExtractor.ts"
import { executor as textExtractor } from "./extract/TextExtractor.ts"
import { executor as wordExtractor } from "./extract/WordExtractor.ts"
import { executor as azureBlobContentRetriever } from "./input/AzureBlobContentRetriever.ts"
import { executor as azureBlobInputDiscovery } from "./input/AzureBlobInputDiscovery.ts"
import { executor as contentRetriever } from "./input/ContentRetriever.ts"
import { executor as webScraper } from "./input/WebScraper.ts"
import { executor as aiSearchIndexOutput } from "./output/AiSearchIndexOutput.ts"
import { executor as azureBlobOutput } from "./output/AzureBlobOutput.ts"
import { executor as fanInAggregator } from "./transform/FanInAggregator.ts"
import { executor as cosmosDbLookup } from "./transform/CosmosDbLookup.ts"
import * as CosmosLookup from "../store/CosmosLookup.ts"
import { LookupStore } from "../store/LookupStore.ts"
import { executor as fieldMapper } from "./transform/FieldMapper.ts"
import { executor as fieldSelector } from "./transform/FieldSelector.ts"
import { executor as gptragSearchIndexDocumentGenerator } from "./transform/GptragSearchIndexDocumentGenerator.ts"
import { executor as recursiveTextChunker } from "./transform/RecursiveTextChunker.ts"
import { executor as tableRowSplitter } from "./transform/TableRowSplitter.ts"

/** Every executor type that comes with the worker, sorted by type id. */
export const builtins = [
  aiSearchIndexOutput,
  azureBlobContentRetriever,
  azureBlobInputDiscovery,
  azureBlobOutput,
  azureContentUnderstandingExtractor,
  azureDocumentIntelligenceExtractor,
  azureOpenAiAgent,
  azureOpenAiEmbeddings,
  contentClassifier,
  contentRetriever,
  contentTranslator,
  cosmosDbLookup,
  crossDocumentComparison,
  crossDocumentFieldAggregator,
  csvExtractor,
  documentExtractor,
  documentSetCollector,
  documentSetInitializer,
  entityExtractor,
  excelExtractor,
  fanInAggregator,
  fieldMapper,
  fieldSelector,
  forEachContent,
  gptragSearchIndexDocumentGenerator,
  keywordExtractor,
  languageDetector,
  ocrExtractor,
  passThrough,
  pdfExtractor,
  piiDetector,
  powerpointExtractor,
  recursiveTextChunker,
  sentimentAnalyser,
  subpipeline,
  tableRowSplitter,
  textExtractor,
  textSummarizer,
  webScraper,
  wordExtractor
] as const

/** What the built-in types need between them. */
export type Services = (typeof builtins)[number] extends infer E ? (E extends Executor<infer R> ? R : never) : never

/** One type as one of the list: `Executor` itself does not let go of its exact requirements. */
const widened = (executor: Widened): Executor<Services> => executor
type Widened = Omit<Executor<never>, "prepare"> & { readonly prepare: Executor<Services>["prepare"] }

/** Lookups go to Cosmos DB, unless the program brings a store of its own, as the one on a folder does. */
const lookups = Layer.unwrapEffect(
  Effect.map(
    Effect.serviceOption(LookupStore),
    Option.match({ onNone: () => CosmosLookup.layer, onSome: (store) => Layer.succeed(LookupStore, store) })
  )
)

/** The services that come with the types: they sign in with the worker's Credentials where those are among the services. */
const own = Layer.mergeAll(
  lookups,
  Layer.mergeAll(HttpLanguageModel.layer, Embeddings.layer, ContentUnderstanding.layer, SearchIndexes.layer).pipe(
    Layer.provideMerge(ServiceClients.layerHttp)
  )
)

const types = Catalog.layer(builtins.map((each) => widened(each)))

/** Those of the modules that the settings name; they may require what the built-in types require. */
const ofFiles = Layer.unwrapEffect(
  Effect.gen(function* () {
    const { executorFiles } = yield* WorkerConfig
    return Catalog.adding(yield* ExecutorFiles.load<Services>(executorFiles))
  })
).pipe(Layer.provide(types))

/** The catalog of the built-in types, of those in the modules that the settings name, and of these. Each store that they call is behind its valve. */
export const layerWith = <R = never>(executors: ReadonlyArray<Executor<R>>) =>
  Catalog.adding(executors).pipe(
    Layer.provide(ofFiles),
    Layer.provide([own, ValvedBlobs.layer]),
    Layer.provide(EndpointValves.layer)
  )

/** The same without types of the program's own. */
export const layer = layerWith([])
