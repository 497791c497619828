import { executor } from "../../../src/executors/transform/FieldSelector.ts"
import { describeGolden } from "../GoldenNodes.ts"

describeGolden({ file: "field_selector.jsonl", executor, id: "sel", provide: (effect) => effect })
