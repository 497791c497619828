import * as CliConfig from "@effect/cli/CliConfig"
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as ValidationError from "@effect/cli/ValidationError"
import type { Teardown } from "@effect/platform/Runtime"
import * as Cause from "effect/Cause"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { version } from "./Version.ts"

/** Modules are loaded when their command runs: `--help` needs no Azure SDK, and `start` no emulator. */
const start = Command.make("start", {}, () =>
  Effect.flatMap(
    Effect.promise(() => import("./Start.ts")),
    (module) => module.start
  )
).pipe(Command.withDescription("Run the worker, with settings from the environment, .env and Azure App Configuration."))

const demo = Command.make(
  "demo",
  {
    watch: Options.boolean("watch").pipe(
      Options.withDescription("Keep the worker and its emulators running, with HTTP, until Ctrl+C.")
    ),
    documents: Options.directory("documents", { exists: "yes" }).pipe(
      Options.withDescription("Process the files of this folder instead of the demo's own documents."),
      Options.optional
    ),
    output: Options.directory("output").pipe(
      Options.withDescription("Copy every result into this folder."),
      Options.optional
    ),
    log: Options.file("log").pipe(
      Options.withDescription("Write the worker's log to this file, as JSON lines."),
      Options.optional
    )
  },
  (options) =>
    Effect.flatMap(
      Effect.promise(() => import("./Demo.ts")),
      (module) => module.demo(options)
    )
).pipe(
  Command.withDescription(
    "Process some documents on emulators of Azure Storage and Cosmos DB: nothing to install, nothing left behind."
  )
)

const command = Command.make("contentflow-worker").pipe(
  Command.withDescription("Finds documents in Blob Storage, runs them through pipelines, and records every execution."),
  Command.withSubcommands([start, demo])
)

const cli = Command.run(command, { name: "contentflow-worker", version })

/** Runs the command line to an exit code: 0 done, 1 failed, 2 wrong usage. What failed is told in one text on standard error. */
export const run = (argv: ReadonlyArray<string>) =>
  cli(argv).pipe(
    Effect.as(0),
    Effect.catchAllCause((cause) => {
      if (Cause.isInterruptedOnly(cause)) return Effect.interrupt
      const error = Cause.squash(cause)
      // Wrong usage was told by the command line itself.
      if (ValidationError.isValidationError(error)) return Effect.succeed(2)
      return Effect.as(Console.error(error instanceof Error ? error.message : String(error)), 1)
    }),
    Effect.provide(CliConfig.layer({ showBuiltIns: false }))
  )

/** A signal is an orderly end: code 0. */
export const teardown: Teardown = (exit, onExit) =>
  onExit(
    Exit.match(exit, {
      onSuccess: (code) => (typeof code === "number" ? code : 0),
      onFailure: (cause) => (Cause.isInterruptedOnly(cause) ? 0 : 1)
    })
  )
