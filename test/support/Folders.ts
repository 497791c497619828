import { Effect, type Scope } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** An empty folder in this one, that goes with the scope. */
export const temporaryIn = (parent: string): Effect.Effect<string, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(parent, "contentflow-test-"))),
    (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
  )

/** An empty folder that goes with the scope. */
export const temporary: Effect.Effect<string, never, Scope.Scope> = Effect.suspend(() => temporaryIn(tmpdir()))
