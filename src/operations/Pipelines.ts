import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Ids from "../domain/Ids.ts"
import type { VersionedPipeline } from "../domain/Pipeline.ts"
import type { ServiceError } from "../domain/ServiceError.ts"
import type { DefinitionGraph } from "../pipeline/DefinitionGraph.ts"
import { PipelineRunner } from "../pipeline/PipelineRunner.ts"
import { PipelineStore } from "../store/PipelineStore.ts"
import { PipelineVersions, versionOf } from "../worker/task/PipelineVersions.ts"
import { NoSuchThing } from "./Operation.ts"

/** A pipeline as a drawing of it shows it. */
export const PipelineGraph = Schema.Struct({
  id: Schema.String,
  name: Schema.String,
  enabled: Schema.Boolean,
  /** Of what is drawn. */
  version: Schema.String,
  /** What is stored now; another one where an earlier version was asked for. */
  current_version: Schema.String,
  /** The version that was asked for is not kept any more: the current one is drawn. */
  replaced: Schema.Boolean,
  nodes: Schema.Array(Schema.Struct({ id: Schema.String, type: Schema.String, enabled: Schema.Boolean })),
  edges: Schema.Array(
    Schema.Struct({
      from: Schema.String,
      to: Schema.String,
      /** Null where every item goes this way. */
      condition: Schema.NullOr(Schema.String)
    })
  ),
  /** Why it can't be drawn. */
  problem: Schema.NullOr(Schema.String)
})
export interface PipelineGraph extends Schema.Schema.Type<typeof PipelineGraph> {}

/** Pipelines as people see them. */
export class Pipelines extends Context.Tag("contentflow-worker/operations/Pipelines")<
  Pipelines,
  {
    /** As it is now, or was in this version. */
    readonly show: (id: string, version?: string) => Effect.Effect<PipelineGraph, NoSuchThing | ServiceError>
  }
>() {}

const make = Effect.gen(function* () {
  const pipelines = yield* PipelineStore
  const versions = yield* PipelineVersions
  const runner = yield* PipelineRunner

  /** The pipeline in the version that is asked for, where it is still kept. */
  const inVersion = (current: VersionedPipeline, version: string | undefined) =>
    version === undefined || version === versionOf(current)
      ? Effect.succeedSome(current)
      : versions.find(current, version)

  return Pipelines.of({
    show: Effect.fnUntraced(function* (id, version) {
      const found =
        id.length > Ids.maxIdLength ? Option.none<VersionedPipeline>() : yield* pipelines.find(Ids.PipelineId.make(id))
      if (Option.isNone(found)) return yield* new NoSuchThing({ message: `There is no pipeline ${id}.` })
      const current = yield* runner.withChildren(found.value)
      const asked = yield* inVersion(current, version)
      const drawn = Option.getOrElse(asked, () => current)
      const graph = yield* runner.compile(drawn).pipe(
        Effect.map(({ graph }) => ({ ...graphOf(graph), problem: null })),
        Effect.catchTag("PipelineInvalid", ({ message }) => Effect.succeed({ nodes: [], edges: [], problem: message }))
      )
      return {
        id: found.value.pipeline.id,
        name: drawn.pipeline.name,
        enabled: found.value.pipeline.enabled,
        version: versionOf(drawn),
        current_version: versionOf(current),
        replaced: Option.isNone(asked),
        ...graph
      }
    })
  })
})

const graphOf = ({ nodes, order, outgoing }: DefinitionGraph): Pick<PipelineGraph, "nodes" | "edges"> => {
  const idOf = (node: number): string => nodes[node]?.id ?? ""
  return {
    nodes: order.flatMap((node) => {
      const drawn = nodes[node]
      return drawn === undefined ? [] : [{ id: drawn.id, type: drawn.type, enabled: drawn.enabled }]
    }),
    edges: order.flatMap((node) => {
      const { always = [], cases = [], otherwise = [] } = outgoing[node] ?? {}
      return [
        ...always.map((target) => ({ from: idOf(node), to: idOf(target), condition: null })),
        ...cases.flatMap(({ condition, targets }) =>
          targets.map((target) => ({ from: idOf(node), to: idOf(target), condition: condition.text }))
        ),
        ...otherwise.map((target) => ({ from: idOf(node), to: idOf(target), condition: "default" }))
      ]
    })
  }
}

export const layer = Layer.effect(Pipelines, make)
