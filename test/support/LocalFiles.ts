import * as Effect from "effect/Effect"
import { realpathSync } from "node:fs"
import { tmpdir } from "node:os"
import { CurrentRunFiles, make } from "../../src/executor/RunFiles.ts"

/** A run on a worker whose owner opened these folders to pipelines; by default the system's temporary folder and the corpus. */
export const withRoots =
  (...roots: ReadonlyArray<string>) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.provideService(
      effect,
      CurrentRunFiles,
      make(roots.length > 0 ? roots : [tmpdir(), realpathSync(tmpdir()), "../shared/corpus"])
    )
