import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type { Content } from "../../domain/Content.ts"
import * as Catalog from "../../executor/Catalog.ts"
import type { Executor } from "../../executor/Executor.ts"
import * as AzureBlobContentRetriever from "../../executors/input/AzureBlobContentRetriever.ts"
import * as ContentRetriever from "../../executors/input/ContentRetriever.ts"

/** Hears which node works on how many items. */
export interface Listener {
  readonly started: (executorId: string, items: number) => Effect.Effect<void>
  readonly ended: (executorId: string) => Effect.Effect<void>
}

export interface Surroundings {
  /** Where retrievers put their files unless the definition says where. */
  readonly temporaryFolder: string
  readonly listener: Listener
}

/** The catalog for a run on this machine: the same types, which tell their progress and find the machine's own folders. */
export const of =
  (surroundings: Surroundings) =>
  (catalog: Catalog.Catalog["Type"]): Catalog.Catalog["Type"] =>
    Catalog.make(catalog.all.map((executor) => adapted(fetching(executor, catalog), surroundings)))

/** The retriever of blobs fetches local files, too, as the general one does, so that pipelines which were written for blobs run over them. */
const fetching = (executor: Executor<never>, catalog: Catalog.Catalog["Type"]): Executor<never> => {
  const general = Option.getOrUndefined(catalog.find(ContentRetriever.executor.type))
  if (executor.type !== AzureBlobContentRetriever.executor.type || general === undefined) return executor
  return {
    ...executor,
    prepare: (settings) =>
      Either.flatMap(executor.prepare(settings), (ofBlobs) =>
        Either.map(
          general.prepare(settings),
          (ofFiles) => (context) =>
            Effect.zipWith(ofBlobs(context), ofFiles(context), (blobs, files) => ({
              ...blobs,
              process: (items) =>
                items.every(isLocal) ? Effect.map(files.process(items), Arr.map(withoutMetadata)) : blobs.process(items)
            }))
        )
      )
  }
}

const isLocal = ({ id }: Content): boolean => id?.source_type === "local_file"

/** What the retriever of blobs does not add. */
const withoutMetadata = (item: Content): Content => {
  const { metadata: _, ...data } = item.data
  return { ...item, data }
}

const adapted = (executor: Executor<never>, { listener, temporaryFolder }: Surroundings): Executor<never> => {
  const knows = (setting: string) => Object.hasOwn(executor.settings, setting)
  return {
    ...executor,
    prepare: (settings) =>
      Either.map(
        executor.prepare({
          ...(knows("temp_folder") ? { temp_folder: temporaryFolder } : {}),
          ...withoutNulls(settings)
        }),
        (build) => (context) =>
          Effect.map(build(context), (instance) => ({
            ...instance,
            process: (items) =>
              Effect.zipRight(listener.started(context.id, items.length), instance.process(items)).pipe(
                Effect.ensuring(listener.ended(context.id))
              )
          }))
      )
  }
}

/** Null is what an absent setting is. */
const withoutNulls = (settings: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== null))
