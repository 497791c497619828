import { Effect, Option } from "effect"
import { execFile } from "node:child_process"
import { timed } from "./RoundRobin.ts"

/** The text of a PDF by PyMuPDF, which the original uses: a process a file. Fails on a file that takes it 10 s. */
export const read = (path: string): Effect.Effect<string, unknown> => call([path])

/** The least milliseconds that its process takes to start and end; none where Debian's python3-fitz is not installed. */
export const startUp: Effect.Effect<Option.Option<number>> = Effect.map(
  Effect.replicateEffect(timed(call([])), 8),
  (times) => Option.map(Option.all(times), (all) => Math.min(...all.map(({ wall }) => wall)))
)

const script = "import sys, fitz\nfor path in sys.argv[1:]:\n  for page in fitz.open(path): page.get_text()\n"

function call(paths: ReadonlyArray<string>): Effect.Effect<string, unknown> {
  return Effect.async((resume) => {
    const child = execFile(
      "/usr/bin/python3",
      ["-c", script, ...paths],
      { timeout: 10_000, maxBuffer: 64 * 1024 * 1024, killSignal: "SIGKILL" },
      (error, output) => resume(error === null ? Effect.succeed(output) : Effect.fail(error))
    )
    return Effect.sync(() => void child.kill("SIGKILL"))
  })
}
