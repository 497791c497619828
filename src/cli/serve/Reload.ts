import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Stream from "effect/Stream"
import { stat } from "node:fs/promises"
import { join } from "node:path"
import * as DefinitionCache from "../../worker/DefinitionCache.ts"
import * as ProblemLine from "../run/ProblemLine.ts"
import * as Install from "./Install.ts"
import * as Project from "./Project.ts"

/** How often the files of a project are looked at. What has changed is read when two looks find it the same: it may still be written to. */
const interval = "1 second"

/**
 * Follows the pipeline files: an edited one counts for the tasks that begin afterwards, without a restart. One that can't be used is reported, and the
 * pipelines go on as they were. Gives all vaults after each change.
 */
export const changes = (project: Project.Project, first: ReadonlyArray<Install.Planned>) =>
  Stream.unwrap(
    Effect.gen(function* () {
      const settings = join(project.folder, Project.fileName)
      const files = [...new Set(project.vaults.map(({ pipelineFile }) => pipelineFile)), settings]
      let last = yield* stampsOf(files)
      // Between the start, which read the pipelines, and now they may have changed: the first look reads them again.
      let read: ReadonlyMap<string, string> = new Map([[settings, last.get(settings) ?? ""]])
      let current = first
      const look = Effect.gen(function* () {
        const now = yield* stampsOf(files)
        const isResting = differing(now, last).length === 0
        last = now
        const changed = differing(now, read)
        if (!isResting || changed.length === 0) return undefined
        read = now
        if (changed.includes(settings))
          yield* Console.log(`Changed   ${Project.fileName}: it counts from the next start on.`)
        if (changed.every((file) => file === settings)) return undefined
        const replaced = yield* Effect.either(replacement(project))
        if (Either.isLeft(replaced)) {
          yield* Console.error(`${replaced.left.message}\nThe pipelines go on as they were before this change.`)
          return undefined
        }
        const before = current
        current = replaced.right
        const different = current.filter(({ yaml }, index) => yaml !== before[index]?.yaml)
        if (different.length === 0) return undefined
        // As long as the worker takes what it read before.
        yield* Effect.sleep(DefinitionCache.maxAge)
        for (const pipeline of new Set(different.map(({ vault }) => vault.pipeline)))
          yield* Console.log(ProblemLine.plain(`Changed   ${pipeline}: it counts from now on.`))
        return current
      })
      return Stream.filter(Stream.repeatEffect(Effect.delay(look, interval)), (vaults) => vaults !== undefined)
    })
  )

/** The vaults with the pipelines as their files are now, checked and then installed. */
const replacement = Effect.fnUntraced(function* (project: Project.Project) {
  const planned = yield* Install.plan(project)
  yield* Install.check(planned)
  yield* Install.install(planned)
  return planned
})

/** What changes with every edit of a file: a file that is not there has none. */
const stampsOf = (files: ReadonlyArray<string>): Effect.Effect<ReadonlyMap<string, string>> =>
  Effect.promise(async () => {
    const stamps = await Promise.all(
      files.map((file) =>
        stat(file).then(
          ({ ctimeMs, ino, mtimeMs, size }) => [ino, size, mtimeMs, ctimeMs].join(" "),
          () => "none"
        )
      )
    )
    return new Map(files.map((file, index) => [file, stamps[index] ?? "none"]))
  })

const differing = (some: ReadonlyMap<string, string>, others: ReadonlyMap<string, string>): ReadonlyArray<string> =>
  [...some].flatMap(([file, stamp]) => (others.get(file) === stamp ? [] : [file]))
