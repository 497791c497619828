import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import { sep } from "node:path"
import { watch } from "chokidar"

/** Many files that come at once are one change. */
const together = "200 millis"

/**
 * A change in a folder or below it, as soon as the system tells; hidden files are none. `onFailure` hears once why the system does not tell. The crawl by
 * time finds what is missed here, so that nothing depends on it.
 */
export const changes = (folder: string, onFailure: (reason: string) => Effect.Effect<void>): Stream.Stream<void> =>
  Stream.unwrapScoped(
    Effect.gen(function* () {
      const changed = yield* Queue.sliding<"changed" | { readonly failure: string }>(1)
      yield* Effect.acquireRelease(
        Effect.sync(() =>
          watch(folder, {
            ignoreInitial: true,
            followSymlinks: false,
            ignored: (path) => path !== folder && path.slice(path.lastIndexOf(sep) + 1).startsWith(".")
          })
            .on("all", () => changed.unsafeOffer("changed"))
            .on("error", (error) =>
              changed.unsafeOffer({ failure: error instanceof Error ? error.message : String(error) })
            )
        ),
        (watcher) => Effect.promise(() => watcher.close())
      )
      let isTold = false
      const tell = (failure: string) =>
        Effect.suspend(() => {
          if (isTold) return Effect.void
          isTold = true
          return onFailure(failure)
        })
      return Stream.fromQueue(changed).pipe(
        Stream.mapEffect((event) => (event === "changed" ? Effect.sleep(together) : tell(event.failure)))
      )
    })
  )
