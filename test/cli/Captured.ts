import { NodeContext } from "@effect/platform-node"
import { ConfigProvider, Console, Effect } from "effect"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import * as Cli from "../../src/cli/Cli.ts"

export interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** A command line in this process, with these variables as its environment and no others. */
export const cli = (
  args: ReadonlyArray<string>,
  environment: Readonly<Record<string, string>> = {}
): Effect.Effect<Ended> =>
  Effect.gen(function* () {
    const text = { stdout: "", stderr: "" }
    const to =
      (stream: keyof typeof text) =>
      (...parts: ReadonlyArray<unknown>) => {
        text[stream] += `${parts.map(String).join(" ")}\n`
      }
    const current = yield* Effect.console
    const console: Console.Console = {
      ...current,
      log: (...parts) => Effect.sync(() => to("stdout")(...parts)),
      error: (...parts) => Effect.sync(() => to("stderr")(...parts)),
      unsafe: { ...current.unsafe, log: to("stdout"), error: to("stderr") }
    }
    const code = yield* Cli.run(["node", "main.js", ...args]).pipe(
      Effect.withConsole(console),
      Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(environment)))),
      Effect.provide(NodeContext.layer),
      Effect.orDie
    )
    return { code, ...text }
  })

/** A folder with these files until the scope closes. */
export const folder = (files: Readonly<Record<string, string | Uint8Array>>) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "contentflow-cli-"))),
      (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
    ),
    (path) => {
      for (const [name, content] of Object.entries(files)) {
        mkdirSync(dirname(join(path, name)), { recursive: true })
        writeFileSync(join(path, name), content)
      }
      return { path, at: (name: string) => join(path, name) }
    }
  )
