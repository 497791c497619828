import * as Layer from "effect/Layer"
import * as ValvedBlobs from "../blob/ValvedBlobs.ts"
import * as EndpointValves from "../concurrency/EndpointValves.ts"
import * as Catalog from "../executor/Catalog.ts"
import type { Executor } from "../executor/Executor.ts"
import { executor as forEachContent } from "./control/ForEachContent.ts"
import { executor as passThrough } from "./control/PassThrough.ts"
import { executor as subpipeline } from "./control/Subpipeline.ts"
import { executor as crossDocumentFieldAggregator } from "./documentset/CrossDocumentFieldAggregator.ts"
import { executor as documentSetCollector } from "./documentset/DocumentSetCollector.ts"
import { executor as documentSetInitializer } from "./documentset/DocumentSetInitializer.ts"
import { executor as csvExtractor } from "./extract/CsvExtractor.ts"
import { executor as documentExtractor } from "./extract/DocumentExtractor.ts"
import { executor as excelExtractor } from "./extract/ExcelExtractor.ts"
import { executor as pdfExtractor } from "./extract/PdfExtractor.ts"
import { executor as powerpointExtractor } from "./extract/PowerpointExtractor.ts"
import { executor as textExtractor } from "./extract/TextExtractor.ts"
import { executor as wordExtractor } from "./extract/WordExtractor.ts"
import { executor as azureBlobContentRetriever } from "./input/AzureBlobContentRetriever.ts"
import { executor as azureBlobInputDiscovery } from "./input/AzureBlobInputDiscovery.ts"
import { executor as contentRetriever } from "./input/ContentRetriever.ts"
import { executor as webScraper } from "./input/WebScraper.ts"
import { executor as azureBlobOutput } from "./output/AzureBlobOutput.ts"
import { executor as fanInAggregator } from "./transform/FanInAggregator.ts"
import { executor as cosmosDbLookup } from "./transform/CosmosDbLookup.ts"
import * as CosmosLookup from "../store/CosmosLookup.ts"
import { executor as fieldMapper } from "./transform/FieldMapper.ts"
import { executor as fieldSelector } from "./transform/FieldSelector.ts"
import { executor as gptragSearchIndexDocumentGenerator } from "./transform/GptragSearchIndexDocumentGenerator.ts"
import { executor as recursiveTextChunker } from "./transform/RecursiveTextChunker.ts"
import type { LookupStore } from "../store/LookupStore.ts"
import { executor as tableRowSplitter } from "./transform/TableRowSplitter.ts"

/** Every executor type that comes with the worker, sorted by type id. */
export const builtins = [
  azureBlobContentRetriever,
  azureBlobInputDiscovery,
  azureBlobOutput,
  contentRetriever,
  cosmosDbLookup,
  crossDocumentFieldAggregator,
  csvExtractor,
  documentExtractor,
  documentSetCollector,
  documentSetInitializer,
  excelExtractor,
  fanInAggregator,
  fieldMapper,
  fieldSelector,
  forEachContent,
  gptragSearchIndexDocumentGenerator,
  passThrough,
  pdfExtractor,
  powerpointExtractor,
  recursiveTextChunker,
  subpipeline,
  tableRowSplitter,
  textExtractor,
  webScraper,
  wordExtractor
] as const

/** What the built-in types need between them. */
export type Services = (typeof builtins)[number] extends infer E ? (E extends Executor<infer R> ? R : never) : never

/** One type as one of the list: `Executor` itself does not let go of its exact requirements. */
const widened = (executor: Widened): Executor<Services> => executor
type Widened = Omit<Executor<never>, "prepare"> & { readonly prepare: Executor<Services>["prepare"] }

/**
 * The catalog of the built-in types, each service that they call behind its valve. Lookups sign in with the worker's Credentials where
 * those are among the services.
 */
export const layer: Layer.Layer<
  Catalog.Catalog,
  never,
  Exclude<Services, LookupStore | EndpointValves.EndpointValves>
> = Catalog.layer(builtins.map((each) => widened(each))).pipe(
  Layer.provide([CosmosLookup.layer, ValvedBlobs.layer]),
  Layer.provide(EndpointValves.layer)
)
