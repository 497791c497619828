import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Catalog from "../../executor/Catalog.ts"
import type { Executor } from "../../executor/Executor.ts"

/** Hears which node works on how many items. */
export interface Listener {
  readonly started: (executorId: string, items: number) => Effect.Effect<void>
  readonly ended: (executorId: string) => Effect.Effect<void>
}

export interface Surroundings {
  /** The folder of `--documents`: the only one that retrievers may read local files from, whatever the definition says. */
  readonly documents: string | null
  /** Where retrievers put their files unless the definition says where. */
  readonly temporaryFolder: string
  readonly listener: Listener
}

/** The catalog for a run on this machine: the same types, which tell their progress and find the machine's own folders. */
export const of =
  (surroundings: Surroundings) =>
  (catalog: Catalog.Catalog["Type"]): Catalog.Catalog["Type"] =>
    Catalog.make(catalog.all.map((executor) => adapted(executor, surroundings)))

const adapted = (
  executor: Executor<never>,
  { documents, listener, temporaryFolder }: Surroundings
): Executor<never> => {
  const knows = (setting: string) => Object.hasOwn(executor.settings, setting)
  return {
    ...executor,
    prepare: (settings) =>
      Either.map(
        executor.prepare({
          ...(knows("temp_folder") ? { temp_folder: temporaryFolder } : {}),
          ...withoutNulls(settings),
          ...(documents !== null && knows("allowed_root") ? { allowed_root: documents } : {})
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
