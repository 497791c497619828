import { Effect, Option } from "effect"
import type { Content } from "../../../src/domain/Content.ts"
import type { ExecutorInstance } from "../../../src/executor/Executor.ts"
import type { Document } from "./Documents.ts"

export interface Readable extends Document {
  /** What a node made of it. */
  readonly result: Content
}

/** The documents that a node can read: some of the real ones are damaged or protected on purpose. */
export const among = (
  documents: ReadonlyArray<Document>,
  process: ExecutorInstance["process"]
): Effect.Effect<ReadonlyArray<Readable>> =>
  Effect.map(
    Effect.forEach(documents, (document) =>
      Effect.map(Effect.option(process([document.item])), (results) =>
        Option.toArray(Option.flatMap(results, ([result]) => Option.fromNullable(result))).map((result) => ({
          ...document,
          result
        }))
      )
    ),
    (found) => found.flat()
  )

/** A count in the summary that a node wrote. */
export const counted = (documents: ReadonlyArray<Readable>, key: string): number =>
  documents.reduce((sum, { result }) => sum + Number(result.summary_data[key]), 0)
