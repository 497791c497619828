import type * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import { PipelineId } from "../../domain/Ids.ts"
import type { VersionedPipeline } from "../../domain/Pipeline.ts"
import * as Definition from "../../pipeline/Definition.ts"
import type * as Problem from "../../pipeline/Problem.ts"
import * as TextInput from "./TextInput.ts"

/** A file with one or more pipelines, in the shape in which the worker reads a stored one. */
export interface PipelineFile {
  /** As it was named on the command line. */
  readonly file: string
  /** False when there is no text at all. */
  readonly isRead: boolean
  /** The pipelines that can be chosen by name; empty when the file has no valid definition. */
  readonly names: ReadonlyArray<string>
  /** What keeps the file from being a definition at all, and all warnings of its form. */
  readonly problems: ReadonlyArray<Problem.Problem>
  /** The pipeline of this name, or the file's first; as if it were stored. */
  readonly pipeline: (name?: string) => VersionedPipeline
}

/** As much as Cosmos DB holds. */
const maxBytes = 2 * 1024 * 1024

/** Reads the `index`-th file of a command line. A file that can't be read is a problem of it, and not a failure. */
export const read = (file: string, index = 0): Effect.Effect<PipelineFile, never, FileSystem.FileSystem> =>
  Effect.map(Effect.either(TextInput.read(file, maxBytes)), (text) =>
    text._tag === "Right"
      ? ofText(file, text.right, index)
      : {
          file,
          isRead: false,
          names: [],
          problems: [{ severity: "error", message: text.left, path: "", line: null, column: null }],
          pipeline: () => stored("", file, index)
        }
  )

const ofText = (file: string, text: string, index: number): PipelineFile => {
  const { definition, problems } = Definition.check(text)
  // `pipeline:` hides a list under `pipelines:`, whose entries are only its children.
  const names =
    definition === undefined
      ? []
      : definition.main.at[0] === "pipelines"
        ? [...definition.byName.values()].toSorted((a, b) => place(a) - place(b)).map(({ name }) => name)
        : [definition.main.name]
  return {
    file,
    isRead: true,
    names,
    problems,
    pipeline: (name) => stored(text, name ?? definition?.main.name ?? file, index)
  }
}

/** Where it stands in the list. */
const place = ({ at }: Definition.Definition): number => Number(at[1])

const stored = (yaml: string, name: string, index: number): VersionedPipeline => ({
  pipeline: {
    id: PipelineId.make(`file-${index + 1}`),
    name,
    yaml,
    enabled: true,
    retries: null,
    retry_delay: null,
    timeout: null
  },
  etag: "file"
})
