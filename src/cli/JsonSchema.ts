import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { Catalog } from "../executor/Catalog.ts"
import * as PipelineSchema from "../pipeline/PipelineSchema.ts"
import * as LocalWorker from "./run/LocalWorker.ts"
import * as ProjectSchema from "./serve/ProjectSchema.ts"

export const kinds = ["pipeline", "folder"] as const
export type Kind = (typeof kinds)[number]

/** The JSON Schema of pipelines, with the types that can be used here, or of `contentflow.yaml`. */
export const textOf = (kind: Kind) =>
  Effect.map(
    kind === "folder"
      ? Effect.sync(ProjectSchema.make)
      : Effect.map(Effect.provide(Catalog, LocalWorker.catalog), ({ all }) => PipelineSchema.make(all)),
    (schema) => JSON.stringify(schema, null, 2)
  )

/** Writes a JSON Schema on standard output. */
export const schema = (kind: Kind) => Effect.flatMap(textOf(kind), Console.log)
