/** A type of the original's catalog: the Python module and class that its API loads. */
export interface OriginalType {
  readonly modulePath: string
  readonly className: string
}

/** The version of all types in the original's catalog. */
export const originalVersion = "1.0"

const original = (module: string, className: string): OriginalType => ({
  modulePath: `contentflow.executors.${module}`,
  className
})

/** By type id; types of our own are not among them. */
export const originalTypes: ReadonlyMap<string, OriginalType> = new Map([
  ["azure_blob_input_discovery", original("azure_blob_input_discovery", "AzureBlobInputDiscoveryExecutor")],
  ["azure_blob_content_retriever", original("azure_blob_content_retriever", "AzureBlobContentRetrieverExecutor")],
  ["content_retriever", original("content_retriever", "ContentRetrieverExecutor")],
  [
    "azure_document_intelligence_extractor",
    original("azure_document_intelligence_extractor", "AzureDocumentIntelligenceExtractorExecutor")
  ],
  [
    "azure_content_understanding_extractor",
    original("azure_content_understanding_extractor", "AzureContentUnderstandingExtractorExecutor")
  ],
  ["pdf_extractor", original("pdf_extractor", "PDFExtractorExecutor")],
  ["word_extractor", original("word_extractor", "WordExtractorExecutor")],
  ["powerpoint_extractor", original("powerpoint_extractor", "PowerPointExtractorExecutor")],
  ["recursive_text_chunker", original("recursive_text_chunker_executor", "RecursiveTextChunkerExecutor")],
  ["excel_extractor", original("excel_extractor", "ExcelExtractorExecutor")],
  ["table_row_splitter", original("table_row_splitter_executor", "TableRowSplitterExecutor")],
  ["azure_openai_agent", original("azure_openai_agent_executor", "AzureOpenAIAgentExecutor")],
  ["azure_openai_embeddings", original("azure_openai_embeddings_executor", "AzureOpenAIEmbeddingsExecutor")],
  ["text_summarizer", original("summarization_executor", "SummarizationExecutor")],
  ["entity_extractor", original("entity_extraction_executor", "EntityExtractionExecutor")],
  ["sentiment_analyser", original("sentiment_analysis_executor", "SentimentAnalysisExecutor")],
  ["content_classifier", original("content_classifier_executor", "ContentClassifierExecutor")],
  ["pii_detector", original("pii_detector_executor", "PIIDetectorExecutor")],
  ["keyword_extractor", original("keyword_extractor_executor", "KeywordExtractorExecutor")],
  ["language_detector", original("language_detector_executor", "LanguageDetectorExecutor")],
  ["content_translator", original("translation_executor", "TranslationExecutor")],
  ["pass_through", original("pass_through", "PassThroughExecutor")],
  ["ai_search_index_output", original("ai_search_index_output", "AISearchIndexOutputExecutor")],
  ["azure_blob_output", original("azure_blob_output_executor", "AzureBlobOutputExecutor")],
  ["fan_in_aggregator", original("fan_in_aggregator", "FanInAggregator")],
  ["field_mapper", original("field_mapper_executor", "FieldMapperExecutor")],
  ["field_selector", original("field_selector_executor", "FieldSelectorExecutor")],
  [
    "gptrag_search_index_document_generator",
    original("gptrag_search_index_doc_generator", "GPTRAGSearchIndexDocumentGeneratorExecutor")
  ],
  ["web_scraper", original("web_scraping_executor", "WebScrapingExecutor")],
  ["document_set_initializer", original("document_set_initializer", "DocumentSetInitializerExecutor")],
  ["document_set_collector", original("document_set_collector", "DocumentSetCollectorExecutor")],
  ["cross_document_comparison", original("cross_document_comparison", "CrossDocumentComparisonExecutor")],
  [
    "cross_document_field_aggregator",
    original("cross_document_field_aggregator", "CrossDocumentFieldAggregatorExecutor")
  ],
  ["for_each_content", original("for_each_content", "ForEachContentExecutor")],
  ["csv_extractor", original("csv_extractor", "CSVExtractorExecutor")],
  ["cosmos_db_lookup", original("cosmos_db_lookup_executor", "CosmosDBLookupExecutor")],
  // The original makes it at run time.
  ["subpipeline", { modulePath: "", className: "" }]
])
