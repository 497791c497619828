import { executor } from "../../../src/executors/transform/TableRowSplitter.ts"
import { describeGolden } from "../GoldenNodes.ts"

describeGolden({ file: "table_row_splitter.jsonl", executor, id: "rows", provide: (effect) => effect })
