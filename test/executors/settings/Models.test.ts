import { type as agent } from "./AzureOpenAiAgent.ts"
import { type as classifier } from "./ContentClassifier.ts"
import { type as translator } from "./ContentTranslator.ts"
import { type as entities } from "./EntityExtractor.ts"
import { type as keywords } from "./KeywordExtractor.ts"
import { type as language } from "./LanguageDetector.ts"
import { type as pii } from "./PiiDetector.ts"
import { type as sentiment } from "./SentimentAnalyser.ts"
import { type as summarizer } from "./TextSummarizer.ts"
import * as comparison from "./CrossDocumentComparison.ts"
import * as embeddings from "./AzureOpenAiEmbeddings.ts"
import * as ModelCases from "./ModelCases.ts"
import * as SharedModelCases from "./SharedModelCases.ts"

const ofTexts = [agent, summarizer, entities, sentiment, classifier, pii, keywords, language, translator]

ModelCases.runAll([
  ...ofTexts.map((type) => [type, SharedModelCases.text] as const),
  [comparison.type, comparison.shared],
  [embeddings.type, embeddings.shared]
])
