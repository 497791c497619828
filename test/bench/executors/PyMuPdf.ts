import { Effect, Option } from "effect"
import { execFile } from "node:child_process"
import { ProcessorTime } from "./RoundRobin.ts"

/**
 * Reads the text of a PDF by PyMuPDF, which the original uses, in a process of its own, and tells what that spent of the processor once
 * it had started. Fails on a file that takes it 30 s.
 */
export const read = (path: string): Effect.Effect<ProcessorTime, unknown> => call([path])

/** Whether Debian's python3-fitz is installed. */
export const isInstalled: Effect.Effect<boolean> = Effect.map(Effect.option(call([])), Option.isSome)

const script = `
import sys, time, fitz
start = time.process_time()
for path in sys.argv[1:]:
  for page in fitz.open(path): page.get_text()
print((time.process_time() - start) * 1000)
`

function call(paths: ReadonlyArray<string>): Effect.Effect<ProcessorTime, unknown> {
  return Effect.async((resume) => {
    const child = execFile(
      "/usr/bin/python3",
      ["-c", script, ...paths],
      { timeout: 30_000, killSignal: "SIGKILL" },
      (error, output) =>
        resume(
          error === null
            ? Effect.succeed(new ProcessorTime(Number(output.trim().split("\n").at(-1))))
            : Effect.fail(error)
        )
    )
    return Effect.sync(() => void child.kill("SIGKILL"))
  })
}
