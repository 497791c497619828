import { executor } from "../../../src/executors/transform/GptragSearchIndexDocumentGenerator.ts"
import { describeGolden } from "../GoldenNodes.ts"

describeGolden({ file: "gptrag_generator.jsonl", executor, id: "gen", provide: (effect) => effect })
