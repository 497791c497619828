import { executor } from "../../../src/executors/transform/FieldMapper.ts"
import { describeGolden } from "../GoldenNodes.ts"

describeGolden({ file: "field_mapper.jsonl", executor, id: "map", provide: (effect) => effect })
