import type * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as TextInput from "../run/TextInput.ts"
import * as Connect from "./Connect.ts"
import * as Documents from "./Documents.ts"
import * as Pipelines from "./Pipelines.ts"
import type { SourceDocument } from "./SourceDocument.ts"

/** The pipeline that `--pipeline` names can't be run here. */
export class PipelineUnusable extends Schema.TaggedError<PipelineUnusable>()("PipelineUnusable", {
  message: Schema.String
}) {}

/** The pipeline that the demo runs. */
export interface Chosen {
  /** As it was named on the command line. */
  readonly name: string
  readonly yaml: string
  /** What the demo asks the index that the pipeline fills. */
  readonly questions: ReadonlyArray<string>
}

/** As much as Cosmos DB holds. */
const maxBytes = 2 * 1024 * 1024

/** The demo's first pipeline, its second one (`rag`), or that of a file. */
export const choose = (
  name: Option.Option<string>,
  documents: ReadonlyArray<SourceDocument>
): Effect.Effect<Chosen, PipelineUnusable, FileSystem.FileSystem> => {
  if (Option.isNone(name)) {
    return Effect.succeed({ name: "Demo", yaml: Pipelines.extraction(fileNameTemplate(documents)), questions: [] })
  }
  if (name.value === "rag") {
    const questions = documents === Documents.samples ? Documents.questions : []
    return Effect.succeed({ name: "rag", yaml: Pipelines.rag, questions })
  }
  return Effect.mapBoth(TextInput.read(name.value, maxBytes), {
    onSuccess: (yaml) => ({ name: name.value, yaml, questions: [] }),
    onFailure: (message) => new PipelineUnusable({ message: `--pipeline ${name.value}: ${message}` })
  })
}

export const connected = (chosen: Chosen, places: Connect.Places): Effect.Effect<Connect.Connected, PipelineUnusable> =>
  Either.mapLeft(
    Connect.connect(chosen.yaml, places),
    ({ message }) => new PipelineUnusable({ message: `--pipeline ${chosen.name}: ${message}` })
  )

/** An output is named after its document; where two folders hold documents of one name, its hash tells them apart. */
const fileNameTemplate = (documents: ReadonlyArray<SourceDocument>): string => {
  const names = new Set(documents.map(({ name }) => name.slice(name.lastIndexOf("/") + 1)))
  return names.size === documents.length ? "{id.filename}.json" : "{id.filename}.{id.unique_id}.json"
}
