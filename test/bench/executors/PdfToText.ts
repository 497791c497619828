import { Effect, Option } from "effect"
import { execFile } from "node:child_process"
import { timed } from "./RoundRobin.ts"

/** The text of a PDF by poppler's `pdftotext`, a process a file. Fails on a file that takes it 5 s or more than 64 MB. */
export const read = (path: string): Effect.Effect<string, unknown> => call(["-enc", "UTF-8", path, "-"])

/** The least milliseconds that its process takes to start and end; none where poppler-utils is not installed. */
export const startUp: Effect.Effect<Option.Option<number>> = Effect.map(
  Effect.replicateEffect(timed(call(["-v"])), 20),
  (times) => Option.map(Option.all(times), (all) => Math.min(...all.map(({ wall }) => wall)))
)

function call(args: ReadonlyArray<string>): Effect.Effect<string, unknown> {
  return Effect.async((resume) => {
    const child = execFile(
      "pdftotext",
      args,
      { timeout: 5_000, maxBuffer: 64 * 1024 * 1024, killSignal: "SIGKILL" },
      (error, output) => resume(error === null ? Effect.succeed(output) : Effect.fail(error))
    )
    return Effect.sync(() => void child.kill("SIGKILL"))
  })
}
