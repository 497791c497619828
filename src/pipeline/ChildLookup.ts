import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { PipelineId } from "../domain/Ids.ts"
import type { ChildPipeline, VersionedPipeline } from "../domain/Pipeline.ts"
import type { ServiceError } from "../domain/ServiceError.ts"
import type { Inner } from "../executor/Executor.ts"
import type { PipelineStore } from "../store/PipelineStore.ts"
import * as Definition from "./Definition.ts"
import * as Problem from "./Problem.ts"

/** The definition that a node names as its child, and where it stands. */
export interface Target {
  /** The id of the document that holds it. */
  readonly document: string
  readonly file: Definition.DefinitionFile
  readonly definition: Definition.Definition
}

export interface Found {
  /** The definition, or why there is none. */
  readonly target: Target | string
  /** What was read from the store on the way. */
  readonly read: ReadonlyArray<ChildPipeline>
}

/** Finds a child pipeline: one of the same file goes first; then the stored one with this id, then the one with this name. */
export const find = (
  wanted: Extract<Inner, { readonly _tag: "Pipeline" }>,
  file: Definition.DefinitionFile,
  document: string,
  store: PipelineStore["Type"]
): Effect.Effect<Found, ServiceError> =>
  Effect.gen(function* () {
    const { id, name } = wanted
    const near = name === null ? undefined : file.byName.get(name)
    if (near !== undefined) return { target: { document, file, definition: near }, read: [] }
    const read: Array<ChildPipeline> = []
    let found: Option.Option<VersionedPipeline> = Option.none()
    if (id !== null) {
      found = yield* store.find(PipelineId.make(id, true))
      read.push({ by: "id", key: id, found: Option.getOrNull(found) })
    }
    if (Option.isNone(found) && name !== null) {
      found = yield* store.findByName(name)
      read.push({ by: "name", key: name, found: Option.getOrNull(found) })
    }
    return { target: Option.match(found, { onNone: () => missing(id, name), onSome: targetIn }), read }
  })

/** The store as it was when these were read. */
export const asItWas = (
  children: ReadonlyArray<ChildPipeline>,
  store: PipelineStore["Type"]
): PipelineStore["Type"] => {
  const read = (by: ChildPipeline["by"], key: string) => children.find((child) => child.by === by && child.key === key)
  return {
    ...store,
    find: (id, known) => {
      const child = read("id", id)
      return child === undefined ? store.find(id, known) : Effect.succeed(Option.fromNullable(child.found))
    },
    findByName: (name) => {
      const child = read("name", name)
      return child === undefined ? store.findByName(name) : Effect.succeed(Option.fromNullable(child.found))
    }
  }
}

const targetIn = ({ pipeline }: VersionedPipeline): Target | string => {
  const checked = Definition.check(pipeline.yaml, pipeline.name)
  if (checked.definition !== undefined) {
    return { document: pipeline.id, file: checked.definition, definition: checked.definition.main }
  }
  const problems = checked.problems.map(Problem.print).join(" ")
  return `The stored child pipeline ${JSON.stringify(pipeline.name)} is not valid: ${problems}`
}

const missing = (id: string | null, name: string | null): string => {
  const named = [
    ...(id === null ? [] : [`id ${JSON.stringify(id)}`]),
    ...(name === null ? [] : [`name ${JSON.stringify(name)}`])
  ]
  return `There is no pipeline with the ${named.join(" or the ")}, neither in this file nor among the stored ones.`
}
