import * as Args from "@effect/cli/Args"
import * as CliConfig from "@effect/cli/CliConfig"
import * as Command from "@effect/cli/Command"
import * as CommandDescriptor from "@effect/cli/CommandDescriptor"
import * as Options from "@effect/cli/Options"
import * as ValidationError from "@effect/cli/ValidationError"
import type { Teardown } from "@effect/platform/Runtime"
import * as Cause from "effect/Cause"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import process from "node:process"
import * as CommandTree from "./CommandTree.ts"
import { Ended, ended } from "./Ended.ts"
import * as FatalMessage from "./FatalMessage.ts"
import * as Help from "./Help.ts"
import * as Misspelling from "./Misspelling.ts"
import * as Operate from "./operate/Commands.ts"
import * as OutputFormat from "./run/OutputFormat.ts"
import { endsBySignal } from "./Services.ts"
import * as Signals from "./Signals.ts"
import { version } from "../config/Version.ts"
import { refuse } from "./WrongUsage.ts"

const executorFiles = Options.text("executors").pipe(
  Options.withPseudoName("FILE"),
  Options.withDescription(
    "A module with executor types of your own, beside the built-in ones; may be repeated. CONTENTFLOW_EXECUTORS names several."
  ),
  Options.repeated
)

/** An option that stands for a variable goes before it, wherever a command finds its settings. */
const withSetting = <A, E, R>(name: string, value: string, command: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.configProviderWith((settings) =>
    Effect.withConfigProvider(
      command,
      ConfigProvider.orElse(ConfigProvider.fromMap(new Map([[name, value]])), () => settings)
    )
  )

const withExecutors = <A, E, R>(
  files: ReadonlyArray<string>,
  command: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  files.length === 0 ? command : withSetting("CONTENTFLOW_EXECUTORS", files.join(","), command)

/** Modules are loaded when their command runs: `--help` needs no Azure SDK, and `start` no emulator. */
const start = Command.make("start", { executors: executorFiles }, ({ executors }) =>
  Effect.flatMap(
    Effect.promise(() => import("./Start.ts")),
    (module) => withExecutors(executors, module.start)
  )
).pipe(Command.withDescription("Run the worker, with settings from the environment, .env and Azure App Configuration."))

const demo = Command.make(
  "demo",
  {
    azure: Options.boolean("azure").pipe(
      Options.withDescription("Use emulators of Azure Storage and Cosmos DB instead of a temporary folder.")
    ),
    pipeline: Options.text("pipeline").pipe(
      Options.withPseudoName("FILE"),
      Options.withDescription(
        "Run the pipeline of this YAML file, or the demo's second one: rag. It finds the demo's documents, and stand-ins of the services whose addresses it leaves out."
      ),
      Options.optional
    ),
    watch: Options.boolean("watch").pipe(Options.withDescription("Keep the worker running, with HTTP, until Ctrl+C.")),
    documents: Options.directory("documents", { exists: "yes" }).pipe(
      Options.withPseudoName("DIR"),
      Options.withDescription("Process the files of this folder instead of the demo's own documents."),
      Options.optional
    ),
    output: Options.text("output").pipe(
      Options.withPseudoName("DIR"),
      Options.withDescription("Copy every result into this folder."),
      Options.optional
    ),
    log: Options.text("log").pipe(
      Options.withPseudoName("FILE"),
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
    "Process some documents in a temporary folder, or with --azure on emulators of Azure Storage and Cosmos DB: nothing to install, nothing left behind."
  )
)

const folder = Args.directory({ name: "FOLDER" }).pipe(Args.optional)

const serve = Command.make(
  "serve",
  {
    folder: folder.pipe(
      Args.withDescription("The folder; the working directory when absent. It is made when it is missing.")
    ),
    once: Options.boolean("once").pipe(
      Options.withDescription("End when every document is done: exit code 0 when all completed, 3 when some failed.")
    ),
    executors: executorFiles
  },
  ({ executors, ...options }) =>
    Effect.flatMap(
      Effect.promise(() => import("./Serve.ts")),
      (module) => Effect.flatMap(withExecutors(executors, module.serve(options)), ended)
    )
).pipe(
  Command.withDescription(
    "Run the whole worker on one folder, without any cloud: documents in its inbox/, or where its contentflow.yaml says, go through a pipeline, and results appear in its output/."
  )
)

const init = Command.make(
  "init",
  { folder: folder.pipe(Args.withDescription("The folder; the working directory when absent.")) },
  (options) =>
    Effect.flatMap(
      Effect.promise(() => import("./Init.ts")),
      (module) => module.init(options)
    )
).pipe(
  Command.withDescription(
    "Write a small commented project for serve: contentflow.yaml, two pipelines, an inbox with two documents. Files that are there stay as they are."
  )
)

const moving = {
  account: Options.text("account").pipe(
    Options.withPseudoName("NAME"),
    Options.withDescription(
      "The storage account that stands for the folder itself (`local`) there. By default the one that BLOB_STORAGE_ACCOUNT_NAME names."
    ),
    Options.optional
  ),
  yes: Options.boolean("yes").pipe(Options.withDescription("Write. Without it the changes are only told.")),
  replace: Options.boolean("replace").pipe(Options.withDescription("Overwrite what is there and differs."))
}

const movedFolder = Args.directory({ name: "FOLDER" })

const push = Command.make(
  "push",
  { folder: movedFolder.pipe(Args.withDescription("A folder that serve runs on.")), ...moving },
  (options) =>
    Effect.flatMap(
      Effect.promise(() => import("./Push.ts")),
      (module) => module.push(options)
    )
).pipe(
  Command.withDescription(
    "Take the pipelines and vaults of a folder to an installation on Azure, which the settings name as for start. Tells what it would write; --yes writes it."
  )
)

const pull = Command.make(
  "pull",
  { folder: movedFolder.pipe(Args.withDescription("The folder; it is made when it is missing.")), ...moving },
  (options) =>
    Effect.flatMap(
      Effect.promise(() => import("./Pull.ts")),
      (module) => module.pull(options)
    )
).pipe(
  Command.withDescription(
    "Bring the pipelines and vaults of an installation on Azure into a folder, for serve, run and validate. Tells what it would write; --yes writes it."
  )
)

const runFile = Command.make(
  "run",
  {
    file: Args.text({ name: "FILE" }).pipe(Args.withDescription("The YAML file with the pipeline.")),
    paths: Args.text({ name: "DOCUMENT" }).pipe(
      Args.withDescription("Documents: files, folders (with all below them) and patterns like 'docs/**/*.pdf'."),
      Args.repeated
    ),
    documents: Options.text("documents").pipe(
      Options.withPseudoName("DIR"),
      Options.withDescription("A folder of documents; the same as naming it behind the pipeline."),
      Options.optional
    ),
    items: Options.text("items").pipe(
      Options.withPseudoName("FILE"),
      Options.withDescription(
        "Instead of documents, a JSON list of items {id, summary_data, data, executor_logs}, in one run; - is standard input."
      ),
      Options.optional
    ),
    output: Options.text("output").pipe(
      Options.withPseudoName("DIR"),
      Options.withDescription(
        "Write the result of every document into this folder, in the folders of the documents, and nothing on standard output."
      ),
      Options.optional
    ),
    format: Options.choice("format", OutputFormat.formats).pipe(
      Options.withDescription("All that was found, as JSON, or the documents' text alone."),
      Options.withDefault("json" as const)
    ),
    json: Options.boolean("json").pipe(
      Options.withDescription(
        "Write one JSON line a document on standard output: name, status, error, warnings, files or items."
      )
    ),
    jobs: Options.integer("jobs").pipe(
      Options.withPseudoName("N"),
      Options.withDescription(
        "Documents that are worked on at the same time; by default as many as the machine has cores, from 2 to 8."
      ),
      Options.mapEffect((jobs) =>
        jobs >= 1 && jobs <= 1_000 ? Effect.succeed(jobs) : refuse("--jobs takes a whole number from 1 to 1000.")
      ),
      Options.optional
    ),
    resume: Options.boolean("resume").pipe(
      Options.withDescription(
        "Leave documents whose result is in the folder of --output already, of the same document and the same pipeline."
      )
    ),
    together: Options.boolean("together").pipe(
      Options.withDescription(
        "Run the pipeline once with all documents, as for pipelines that compare documents; one that fails ends the run."
      )
    ),
    pipeline: Options.text("pipeline").pipe(
      Options.withPseudoName("NAME"),
      Options.withDescription("Which of the pipelines under `pipelines:`; the first when absent."),
      Options.optional
    ),
    exclude: Options.text("exclude").pipe(
      Options.withPseudoName("NODE"),
      Options.withDescription(
        "The executor whose work the documents are: it does not run. By default the one that lists documents, if the pipeline begins with it."
      ),
      Options.optional
    ),
    executors: executorFiles
  },
  ({ executors, ...options }) =>
    Effect.flatMap(
      Effect.promise(() => import("./Run.ts")),
      (module) => Effect.flatMap(withExecutors(executors, module.run(options)), ended)
    )
).pipe(
  Command.withDescription(
    "Run a pipeline over files of this machine, without queue and Cosmos DB. Results are JSON on standard output, or files with --output; the exit code is 0 when all documents completed and 3 when some failed."
  )
)

const validate = Command.make(
  "validate",
  {
    files: Args.text({ name: "FILE" }).pipe(
      Args.withDescription("YAML files with pipelines; - is standard input."),
      Args.repeated
    ),
    stored: Options.boolean("stored").pipe(
      Options.withDescription("Check every pipeline of an installation instead, as before an upgrade.")
    ),
    folder: Operate.place.folder,
    azure: Operate.place.azure,
    graph: Options.boolean("graph").pipe(
      Options.withDescription("Print the graphs for Mermaid on standard output, and the problems on standard error.")
    ),
    executors: executorFiles,
    strict: Options.boolean("strict").pipe(Options.withDescription("Let warnings end with exit code 1, too.")),
    format: Options.choice("format", ["text", "json", "github"]).pipe(
      Options.withDescription(
        "Problems as lines for people and editors, as a JSON list, or as annotations of GitHub Actions."
      ),
      Options.withDefault("text" as const)
    )
  },
  ({ executors, ...options }) =>
    Effect.flatMap(
      Effect.promise(() => import("./Validate.ts")),
      (module) => withExecutors(executors, module.validate(options))
    )
).pipe(
  Command.withDescription(
    "Check pipelines as the worker does: every error and warning with line and column. The exit code is 1 when there are errors."
  )
)

const executors = Command.make(
  "executors",
  {
    type: Args.text({ name: "TYPE" }).pipe(
      Args.withDescription("Print the settings of this type, with an example."),
      Args.optional
    ),
    format: Options.all({
      json: Options.boolean("json").pipe(Options.withDescription("As JSON.")),
      "catalog-yaml": Options.boolean("catalog-yaml").pipe(
        Options.withDescription(
          "As an executor_catalog.yaml, from which ContentFlow's API and web UI take their types."
        )
      ),
      markdown: Options.boolean("markdown").pipe(Options.withDescription("As src/executors/README.md."))
    }).pipe(
      Options.mapEffect((given) => {
        const [format, ...more] = (["json", "catalog-yaml", "markdown"] as const).filter((name) => given[name])
        return more.length > 0
          ? refuse("Give one of --json, --catalog-yaml and --markdown.")
          : Effect.succeed(format ?? ("text" as const))
      })
    ),
    executors: executorFiles
  },
  ({ executors: files, ...options }) =>
    Effect.flatMap(
      Effect.promise(() => import("./Executors.ts")),
      (module) => withExecutors(files, module.executors(options))
    )
).pipe(Command.withDescription("List the executor types that pipelines can use, or explain one."))

const schema = Command.make(
  "schema",
  {
    kind: Args.choice<"pipeline" | "folder">(
      [
        ["pipeline", "pipeline"],
        ["folder", "folder"]
      ],
      { name: "pipeline | folder" }
    ).pipe(Args.withDescription("Of pipelines, or of the contentflow.yaml of a folder.")),
    executors: executorFiles
  },
  ({ executors: files, kind }) =>
    Effect.flatMap(
      Effect.promise(() => import("./JsonSchema.ts")),
      (module) => withExecutors(files, module.schema(kind))
    )
).pipe(
  Command.withDescription(
    "Write the JSON Schema with which editors complete and check pipelines, or a contentflow.yaml, on standard output."
  )
)

const command = Command.make("contentflow-worker").pipe(
  Command.withDescription(
    "Runs documents through pipelines: those of a folder, or those that it finds in Blob Storage, and records every execution."
  ),
  Command.withSubcommands([
    start,
    serve,
    init,
    push,
    pull,
    demo,
    runFile,
    validate,
    executors,
    schema,
    ...Operate.commands
  ])
)

const leaf = (name: string, descriptor: CommandTree.CommandTree["descriptor"], examples: ReadonlyArray<string>) => ({
  name,
  descriptor,
  examples,
  children: []
})

/** Every command with examples, for help and for messages about what is misspelt. */
export const tree: CommandTree.CommandTree = {
  name: "contentflow-worker",
  descriptor: command.descriptor,
  examples: ["demo", "serve ~/papers", "run pipeline.yaml ~/papers --output results", "run --help"],
  children: [
    leaf("start", start.descriptor, ["start", "start --log-level debug"]),
    leaf("serve", serve.descriptor, ["serve ~/papers", "serve ~/papers --once"]),
    leaf("init", init.descriptor, ["init my-project"]),
    leaf("push", push.descriptor, ["push ~/papers", "push ~/papers --yes", "push ~/papers --yes --replace"]),
    leaf("pull", pull.descriptor, ["pull ~/papers", "pull ~/papers --yes"]),
    leaf("demo", demo.descriptor, ["demo", "demo --documents ~/papers --output results", "demo --pipeline rag"]),
    leaf("run", runFile.descriptor, [
      "run pipeline.yaml report.pdf",
      "run pipeline.yaml ~/papers --output results --format markdown",
      "run pipeline.yaml 'papers/**/*.pdf' --json",
      "run pipeline.yaml ~/papers --output results --jobs 8 --resume",
      "run pipeline.yaml --items - < items.json"
    ]),
    leaf("validate", validate.descriptor, [
      "validate pipeline.yaml",
      "validate --graph pipeline.yaml > graph.mmd",
      "validate --strict --format github pipeline.yaml",
      "validate --stored --azure"
    ]),
    leaf("executors", executors.descriptor, ["executors", "executors document_extractor", "executors --json"]),
    leaf("schema", schema.descriptor, ["schema pipeline > pipeline.json", "schema folder > contentflow.json"]),
    ...Operate.trees
  ]
}

const cli = Command.run(command, { name: tree.name, version })

const config = { ...CliConfig.defaultConfig, showBuiltIns: false }

/** Runs the command line to an exit code: 0 done, 1 failed, 2 wrong usage, 3 done with failures. What failed is told in one text on standard error. */
export const run = (argv: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const words = argv.slice(2)
    const located = CommandTree.locate(tree, words)
    const behind = words.slice(0, words.includes("--") ? words.indexOf("--") : words.length)
    const isHelp = behind.some((word) => word === "--help" || word === "-h")
    const isIncomplete = located.command.children.length > 0 && located.unknown === null && !isBuiltIn(behind)
    if ((isHelp && located.unknown === null) || isIncomplete) {
      yield* Console.log(Help.print(located, page()))
      return isHelp || words.length === 0 ? 0 : 2
    }
    const refused = (message: string | undefined) => (message === undefined ? undefined : withWayOut(message, located))
    const wrong = Misspelling.find(located) ?? (isBuiltIn(behind) ? undefined : refused(yield* refusal(words)))
    if (wrong !== undefined) return yield* Effect.as(Console.error(wrong), 2)
    return yield* Effect.as(withLogLevel(words, cli(argv)), 0)
  }).pipe(
    Effect.catchAllCause((cause) => {
      if (Cause.isInterruptedOnly(cause)) return Effect.interrupt
      const error = Cause.squash(cause)
      // Wrong usage was told by the command itself.
      if (ValidationError.isValidationError(error)) return Effect.succeed(2)
      if (error instanceof Ended) return Effect.succeed(error.code)
      return Effect.as(FatalMessage.tell(argv, error instanceof Error ? error.message : String(error)), 1)
    }),
    Effect.provide(CliConfig.layer(config))
  )

const page = (): Help.Page => ({
  columns: Math.min(process.stdout.isTTY ? process.stdout.columns : 80, 100),
  hasStyles: process.stdout.isTTY && !process.env["NO_COLOR"]
})

/** Options in place of a command, which the parser answers itself. */
const isBuiltIn = (words: ReadonlyArray<string>): boolean =>
  ["--version", "--completions", "--wizard"].some((name) =>
    words.some((word) => word === name || word.startsWith(`${name}=`))
  )

/** What lacks is explained by the command's help. */
const withWayOut = (message: string, { path }: CommandTree.Located): string => {
  const lacking = /^Expected to find option: '([^']+)'$/.exec(message)?.[1]
  const said = lacking === undefined ? message : `Missing option ${lacking}.`
  return /^Missing (?:argument|option)/.test(said)
    ? `${said.replace(/[^.]$/, "$&.")} See: ${path.map(({ name }) => name).join(" ")} --help`
    : message
}

/** Why the parser does not take these words, with the option that it is about. */
const refusal = Effect.fnUntraced(function* (words: ReadonlyArray<string>) {
  const message = yield* refusalOf(words)
  if (message === undefined) return undefined
  for (const [index, word] of words.entries()) {
    if (!/^--[a-z]/.test(word)) continue
    const length = word.includes("=") ? 1 : 2
    if ((yield* refusalOf(words.toSpliced(index, length))) !== message && !message.includes(word)) {
      return `${words.slice(index, index + length).join(" ")}: ${message}`
    }
  }
  return message
})

const refusalOf = (words: ReadonlyArray<string>) =>
  CommandDescriptor.parse(command.descriptor, [tree.name, ...withoutLogLevel(words)], config).pipe(
    Effect.match({
      onFailure: ({ error }) => Help.textOf(error),
      onSuccess: (directive) =>
        directive._tag === "UserDefined" && directive.leftover.length > 0
          ? `There is one argument too many: ${directive.leftover.join(" ")}`
          : undefined
    })
  )

const logLevelIn = (words: ReadonlyArray<string>): string | undefined => {
  const at = words.findIndex((word) => word === "--log-level" || word.startsWith("--log-level="))
  return words[at]?.includes("=") === true
    ? words[at]?.slice("--log-level=".length)
    : at < 0
      ? undefined
      : words[at + 1]
}

const withoutLogLevel = (words: ReadonlyArray<string>): ReadonlyArray<string> =>
  words.filter((word, index) => !word.startsWith("--log-level") && words[index - 1] !== "--log-level")

/** Goes before LOG_LEVEL, which commands with a log of their own read. */
const withLogLevel = <A, E, R>(
  words: ReadonlyArray<string>,
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> => {
  const level = levels[logLevelIn(words) ?? ""]
  return level === undefined ? effect : withSetting("LOG_LEVEL", level, effect)
}

/** The four levels that the worker's log has. */
const levels: Readonly<Record<string, string>> = {
  all: "DEBUG",
  trace: "DEBUG",
  debug: "DEBUG",
  info: "INFO",
  warning: "WARNING",
  error: "ERROR",
  fatal: "ERROR",
  none: "ERROR"
}

/** A signal ends a service, and what watches, in order: code 0. Of anything else the result is missing: the code of a process that the signal ended. */
export const teardown =
  (argv: ReadonlyArray<string>): Teardown =>
  (exit, onExit) =>
    onExit(
      Exit.match(exit, {
        onSuccess: (code) => (typeof code === "number" ? code : 0),
        onFailure: (cause) =>
          !Cause.isInterruptedOnly(cause) ? 1 : endsBySignal(argv) ? 0 : (Signals.exitCode() ?? 130)
      })
    )
