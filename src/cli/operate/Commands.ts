import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import type * as CommandTree from "../CommandTree.ts"
import { ended } from "../Ended.ts"
import { refuse } from "../WrongUsage.ts"

const text = (name: string, pseudoName: string, description: string) =>
  Options.text(name).pipe(Options.withPseudoName(pseudoName), Options.withDescription(description), Options.optional)

/** Where an installation is. */
export const place = {
  folder: text("folder", "DIR", "A folder that serve runs on; the working directory when it is one."),
  azure: Options.boolean("azure").pipe(
    Options.withDescription("The installation on Azure that the settings name, as for start.")
  ),
  url: text(
    "url",
    "URL",
    "The installation of the worker at this address, by default CONTENTFLOW_URL; with the token in CONTENTFLOW_TOKEN."
  )
}

const json = Options.boolean("json").pipe(Options.withDescription("Write JSON: of a list one line for each."))

const shown = { ...place, json }

const watched = {
  ...shown,
  watch: Options.boolean("watch").pipe(Options.withDescription("Show it again every few seconds, until Ctrl+C."))
}

const listed = {
  ...watched,
  limit: Options.integer("limit").pipe(
    Options.withPseudoName("N"),
    Options.withDescription("Show so many at most, by default 50."),
    Options.withDefault(50),
    Options.mapEffect((limit) =>
      limit >= 1 && limit <= 1_000_000
        ? Effect.succeed(limit)
        : refuse("--limit takes a whole number from 1 to 1000000.")
    )
  )
}

const many = {
  yes: Options.boolean("yes").pipe(
    Options.withDescription("Do it to all that the filter names. Without it they are only counted.")
  ),
  rate: Options.float("rate").pipe(
    Options.withPseudoName("N"),
    Options.withDescription("At most so many a second."),
    Options.mapEffect((rate) =>
      rate >= 0.2 && rate <= 10_000 ? Effect.succeed(rate) : refuse("--rate takes a number from 0.2 to 10000.")
    ),
    Options.optional
  )
}

const acted = {
  ...shown,
  ...many,
  all: Options.boolean("all").pipe(Options.withDescription("All of them, where no filter is given."))
}

const one = (what: string) => Args.text({ name: "ID" }).pipe(Args.withDescription(`The id of ${what}.`))

const some = (what: string) =>
  Args.text({ name: "ID" }).pipe(Args.withDescription(`Ids of ${what}, instead of a filter.`), Args.repeated)

// --- Executions ---

const executionFilter = Options.all({
  vault_id: text("vault", "ID", "Those of this vault."),
  pipeline_id: text("pipeline", "ID", "Those of this pipeline."),
  pipeline_version: text("pipeline-version", "VERSION", "Those that ran this version of their pipeline."),
  status: Options.choice("status", ["pending", "running", "completed", "failed"]).pipe(
    Options.withDescription("Those in this state; may be repeated."),
    Options.repeated
  ),
  from: text("from", "TIME", "Those created at this time (ISO 8601) or later."),
  to: text("to", "TIME", "Those created before this time."),
  document: text("document", "TEXT", "Those with this text in the name or path of a document."),
  error: text("error", "TEXT", "Those with this text in their error.")
})

const loadExecutions = Effect.promise(() => import("./Executions.ts"))

const executionsAct = (verb: "retry" | "cancel" | "delete", description: string) =>
  Command.make(verb, { ids: some("executions"), filter: executionFilter, ...acted }, (options) =>
    Effect.flatMap(loadExecutions, (module) => Effect.flatMap(module.act({ ...options, verb }), ended))
  ).pipe(Command.withDescription(description))

const executionsLs = Command.make("ls", { filter: executionFilter, ...listed }, (options) =>
  Effect.flatMap(loadExecutions, (module) => Effect.flatMap(module.list(options), ended))
).pipe(Command.withDescription("List executions, the newest first."))

const executionsShow = Command.make("show", { id: one("the execution"), ...watched }, (options) =>
  Effect.flatMap(loadExecutions, (module) => Effect.flatMap(module.show(options), ended))
).pipe(Command.withDescription("Show one execution: its nodes with their times, its attempts, errors and logs."))

const executionsRetry = executionsAct(
  "retry",
  "Run executions that have ended again, with the same documents; by a filter, those that failed. What a pipeline keeps of its steps is used."
)

const executionsCancel = executionsAct(
  "cancel",
  "Take back executions that are pending, and stop those that run, wherever they do."
)

const executionsDelete = executionsAct("delete", "Delete executions; one that has not ended is cancelled first.")

const executions = Command.make("executions").pipe(
  Command.withDescription("List executions, run them again, cancel or delete them."),
  Command.withSubcommands([executionsLs, executionsShow, executionsRetry, executionsCancel, executionsDelete])
)

// --- The poison queue ---

const poisonFilter = Options.all({
  vault_id: text("vault", "ID", "Those of this vault."),
  pipeline_id: text("pipeline", "ID", "Those of this pipeline."),
  execution_id: text("execution", "ID", "The one of this execution."),
  reason: text("reason", "TEXT", "Those with this text in the reason."),
  before: text("before", "TIME", "Those set aside before this time (ISO 8601)."),
  foreign: Options.boolean("foreign").pipe(Options.withDescription("Those that other programs put there."))
})

const loadPoison = Effect.promise(() => import("./Poison.ts"))

const poisonAct = (name: string, verb: "put_back" | "discard", description: string) =>
  Command.make(name, { ids: some("messages"), filter: poisonFilter, ...acted }, (options) =>
    Effect.flatMap(loadPoison, (module) => Effect.flatMap(module.act({ ...options, verb }), ended))
  ).pipe(Command.withDescription(description))

const poisonLs = Command.make("ls", { filter: poisonFilter, ...listed }, (options) =>
  Effect.flatMap(loadPoison, (module) => Effect.flatMap(module.list(options), ended))
).pipe(Command.withDescription("List messages of the poison queue."))

const poisonShow = Command.make("show", { id: one("the message"), ...shown }, (options) =>
  Effect.flatMap(loadPoison, (module) => Effect.flatMap(module.show(options), ended))
).pipe(Command.withDescription("Show one message as it came to the worker, with the reason and its history."))

const poisonPutBack = poisonAct(
  "put-back",
  "put_back",
  "Send messages again: their executions become pending again and run, with their counts from the beginning."
)

const poisonDiscard = poisonAct("discard", "discard", "Delete messages; their executions stay.")

const poison = Command.make("poison").pipe(
  Command.withDescription("List messages of the poison queue, put them back or discard them."),
  Command.withSubcommands([poisonLs, poisonShow, poisonPutBack, poisonDiscard])
)

// --- Vaults ---

const loadVaults = Effect.promise(() => import("./Vaults.ts"))

const vaultsLs = Command.make("ls", watched, (options) =>
  Effect.flatMap(loadVaults, (module) => Effect.flatMap(module.list(options), ended))
).pipe(Command.withDescription("List vaults: what they do, what is paused, the last crawl and the next."))

const vaultsShow = Command.make("show", { id: one("the vault, or its name"), ...watched }, (options) =>
  Effect.flatMap(loadVaults, (module) => Effect.flatMap(module.show(options), ended))
).pipe(Command.withDescription("Show one vault with its crawls."))

const vaultsPausing = (verb: "pause" | "resume", description: string) =>
  Command.make(
    verb,
    {
      ids: Args.text({ name: "ID" }).pipe(Args.withDescription("Ids or names of vaults."), Args.repeated),
      pipelines: Options.text("pipeline").pipe(
        Options.withPseudoName("ID"),
        Options.withDescription("All vaults of this pipeline; may be repeated."),
        Options.repeated
      ),
      all: Options.boolean("all").pipe(Options.withDescription("The whole installation.")),
      work: Options.choice("work", ["crawling", "processing", "everything"]).pipe(
        Options.withDescription("Finding documents, processing them, or both, as by default."),
        Options.withDefault("everything" as const)
      ),
      ...shown
    },
    (options) => Effect.flatMap(loadVaults, (module) => Effect.flatMap(module.pause({ ...options, verb }), ended))
  ).pipe(Command.withDescription(description))

const vaultsPause = vaultsPausing(
  "pause",
  "Let the work of vaults, pipelines or the whole installation rest, within some seconds: what runs is finished, a crawl is interrupted."
)

const vaultsResume = vaultsPausing(
  "resume",
  "Let what was paused go on: the vaults, pipelines or whole installation that were named then. What was paused by itself besides stays so."
)

const vaultsCrawl = Command.make(
  "crawl",
  {
    ids: Args.text({ name: "ID" }).pipe(Args.withDescription("Ids or names of vaults."), Args.repeated),
    all: Options.boolean("all").pipe(Options.withDescription("Every vault that is enabled.")),
    ...shown
  },
  (options) => Effect.flatMap(loadVaults, (module) => Effect.flatMap(module.crawl(options), ended))
).pipe(Command.withDescription("Look for new documents as soon as a worker is free, instead of at the next time."))

const vaultsConfirmDeletions = Command.make(
  "confirm-deletions",
  {
    id: one("the vault, or its name"),
    yes: Options.boolean("yes").pipe(
      Options.withDescription("Remove the outputs of the documents that are gone. Without it they are only counted.")
    ),
    ...shown
  },
  (options) => Effect.flatMap(loadVaults, (module) => Effect.flatMap(module.confirmDeletions(options), ended))
).pipe(
  Command.withDescription(
    "Confirm that so many documents of a vault are gone from its source that a crawl holds their deletion: their outputs are removed."
  )
)

const vaults = Command.make("vaults").pipe(
  Command.withDescription(
    "List vaults, pause and resume their work, crawl them before their time, and confirm deletions that they hold."
  ),
  Command.withSubcommands([vaultsLs, vaultsShow, vaultsPause, vaultsResume, vaultsCrawl, vaultsConfirmDeletions])
)

// --- Workers ---

const loadWorkers = Effect.promise(() => import("./Workers.ts"))

const workersLs = Command.make("ls", watched, (options) =>
  Effect.flatMap(loadWorkers, (module) => Effect.flatMap(module.list(options), ended))
).pipe(Command.withDescription("List the worker processes that run, with what they do."))

const workersShow = Command.make("show", { id: one("the process"), ...watched }, (options) =>
  Effect.flatMap(loadWorkers, (module) => Effect.flatMap(module.show(options), ended))
).pipe(Command.withDescription("Show one worker process with what each of its loops does."))

const workersDrain = Command.make(
  "drain",
  {
    ids: Args.text({ name: "ID" }).pipe(Args.withDescription("Ids of processes."), Args.atLeast(1)),
    ...shown
  },
  (options) => Effect.flatMap(loadWorkers, (module) => Effect.flatMap(module.drain(options), ended))
).pipe(
  Command.withDescription("Let workers finish what they have and take nothing more, until they are started again.")
)

const workers = Command.make("workers").pipe(
  Command.withDescription("List the worker processes of an installation, and drain them."),
  Command.withSubcommands([workersLs, workersShow, workersDrain])
)

// --- Backfills ---

const loadBackfill = Effect.promise(() => import("./Backfill.ts"))

const backfillLs = Command.make("ls", listed, (options) =>
  Effect.flatMap(loadBackfill, (module) => Effect.flatMap(module.list(options), ended))
).pipe(Command.withDescription("List backfills, the newest first."))

const backfillShow = Command.make("show", { id: one("the backfill"), ...watched }, (options) =>
  Effect.flatMap(loadBackfill, (module) => Effect.flatMap(module.show(options), ended))
).pipe(Command.withDescription("Show how far a backfill is; it takes the ids of other operations, too."))

const backfillStart = Command.make(
  "start",
  {
    vault: Args.text({ name: "VAULT" }).pipe(Args.withDescription("The id or the name of a vault.")),
    failed: Options.boolean("failed").pipe(Options.withDescription("Only documents that failed last.")),
    notVersion: text(
      "not-version",
      "VERSION",
      "Only documents that last ran under another version of their pipeline than this."
    ),
    since: text("since", "TIME", "Only documents that changed at this time (ISO 8601) or later."),
    document: text("document", "TEXT", "Only documents with this text in their name or path."),
    ...many,
    ...shown
  },
  (options) => Effect.flatMap(loadBackfill, (module) => Effect.flatMap(module.start(options), ended))
).pipe(
  Command.withDescription(
    "Process the documents of a vault again, in executions of their own: those that are there stay. Without --yes they are counted."
  )
)

const backfillStop = Command.make(
  "stop",
  { ids: Args.text({ name: "ID" }).pipe(Args.withDescription("Ids of backfills."), Args.atLeast(1)), ...shown },
  (options) => Effect.flatMap(loadBackfill, (module) => Effect.flatMap(module.stop(options), ended))
).pipe(Command.withDescription("Stop backfills or other operations; what they put into the queue still runs."))

const backfillResume = Command.make("resume", { id: one("the backfill"), ...shown }, (options) =>
  Effect.flatMap(loadBackfill, (module) => Effect.flatMap(module.resume(options), ended))
).pipe(Command.withDescription("Go on with a backfill that was stopped, or whose process died, to its end."))

const backfill = Command.make("backfill").pipe(
  Command.withDescription("Process the documents of a vault again, and see, stop and resume that."),
  Command.withSubcommands([backfillLs, backfillShow, backfillStart, backfillStop, backfillResume])
)

// --- Submitting ---

const submit = Command.make(
  "submit",
  {
    pipeline: Args.text({ name: "PIPELINE" }).pipe(Args.withDescription("The id or the name of a pipeline.")),
    items: Options.text("items").pipe(
      Options.withPseudoName("FILE"),
      Options.withDescription("A JSON list of items {id, summary_data, data, executor_logs}; - is standard input.")
    ),
    vault: text("vault", "ID", "The vault that it is for."),
    key: text("key", "KEY", "A name of your own: the same one again for this pipeline submits nothing more."),
    wait: Options.integer("wait").pipe(
      Options.withPseudoName("SECONDS"),
      Options.withDescription("Wait so long for the end, and show the execution."),
      Options.mapEffect((seconds) =>
        seconds >= 1 && seconds <= 86_400
          ? Effect.succeed(seconds)
          : refuse("--wait takes a whole number of seconds from 1 to 86400.")
      ),
      Options.optional
    ),
    ...shown
  },
  (options) =>
    Effect.flatMap(
      Effect.promise(() => import("./Submit.ts")),
      (module) => Effect.flatMap(module.submit(options), ended)
    )
).pipe(
  Command.withDescription(
    "Put items into the queue for a pipeline, as one task. With --wait the exit code is 0 when it completed and 3 when it failed."
  )
)

// --- Planning ---

const plan = Command.make(
  "plan",
  {
    pipeline: Args.text({ name: "PIPELINE" }).pipe(
      Args.withDescription(
        "A YAML file, or the id or the name of a stored pipeline, in the place of the vault's own, which is meant when absent."
      ),
      Args.optional
    ),
    vault: text("vault", "ID", "The id or the name of the vault; the only one by default."),
    against: text(
      "against",
      "PIPELINE",
      "Show the difference from this version: a file, a stored pipeline, or `stored` for the vault's own."
    ),
    documents: Options.choice("documents", ["new", "all"]).pipe(
      Options.withDescription(
        "What the next crawl would find, or every document, as a backfill takes them; by default new, and all where PIPELINE or --against is given."
      ),
      Options.optional
    ),
    sample: Options.integer("sample").pipe(
      Options.withPseudoName("N"),
      Options.withDescription("Go through so many documents at most, by default 100."),
      Options.withDefault(100),
      Options.mapEffect((sample) =>
        sample >= 1 && sample <= 100_000
          ? Effect.succeed(sample)
          : refuse("--sample takes a whole number from 1 to 100000.")
      )
    ),
    ...place,
    json: Options.boolean("json").pipe(Options.withDescription("Write one JSON document."))
  },
  (options) =>
    Effect.flatMap(
      Effect.promise(() => import("./Plan.ts")),
      (module) => Effect.flatMap(module.plan(options), ended)
    )
).pipe(
  Command.withDescription(
    "Tell what processing a vault or a folder would do: which documents would run, which steps would be computed and which are kept, what would be removed, and what it would cost by past runs. Documents are read, and cheap steps done; nothing is written or paid for."
  )
)

/** The commands on an installation. */
export const commands = [executions, poison, vaults, workers, backfill, submit, plan] as const

type Descriptor = CommandTree.CommandTree["descriptor"]

const leaf = (name: string, descriptor: Descriptor, examples: ReadonlyArray<string>): CommandTree.CommandTree => ({
  name,
  descriptor,
  examples,
  children: []
})

const branch = (
  name: string,
  descriptor: Descriptor,
  children: ReadonlyArray<CommandTree.CommandTree>
): CommandTree.CommandTree => ({
  name,
  descriptor,
  examples: children.flatMap(({ examples }) => examples.slice(0, 1)),
  children
})

/** The same for help and messages. */
export const trees: ReadonlyArray<CommandTree.CommandTree> = [
  branch("executions", executions.descriptor, [
    leaf("ls", executionsLs.descriptor, [
      "executions ls --status failed",
      "executions ls --status running --watch --url https://worker.example.com",
      "executions ls --error 'rate limit' --from 2026-01-31 --json --limit 10000"
    ]),
    leaf("show", executionsShow.descriptor, ["executions show exec_0123abcd"]),
    leaf("retry", executionsRetry.descriptor, [
      "executions retry --error 'rate limit' --yes",
      "executions retry exec_0123abcd",
      "executions retry --all --yes --rate 10"
    ]),
    leaf("cancel", executionsCancel.descriptor, [
      "executions cancel exec_0123abcd",
      "executions cancel --vault v --yes"
    ]),
    leaf("delete", executionsDelete.descriptor, ["executions delete --status failed --to 2026-01-01 --yes"])
  ]),
  branch("poison", poison.descriptor, [
    leaf("ls", poisonLs.descriptor, ["poison ls", "poison ls --reason timeout --json"]),
    leaf("show", poisonShow.descriptor, ["poison show ID"]),
    leaf("put-back", poisonPutBack.descriptor, ["poison put-back --all --yes", "poison put-back ID"]),
    leaf("discard", poisonDiscard.descriptor, ["poison discard --foreign --yes"])
  ]),
  branch("vaults", vaults.descriptor, [
    leaf("ls", vaultsLs.descriptor, ["vaults ls"]),
    leaf("show", vaultsShow.descriptor, ["vaults show invoices"]),
    leaf("pause", vaultsPause.descriptor, ["vaults pause invoices --work processing", "vaults pause --all"]),
    leaf("resume", vaultsResume.descriptor, ["vaults resume invoices", "vaults resume --all"]),
    leaf("crawl", vaultsCrawl.descriptor, ["vaults crawl invoices"]),
    leaf("confirm-deletions", vaultsConfirmDeletions.descriptor, [
      "vaults confirm-deletions invoices",
      "vaults confirm-deletions invoices --yes"
    ])
  ]),
  branch("workers", workers.descriptor, [
    leaf("ls", workersLs.descriptor, ["workers ls", "workers ls --watch"]),
    leaf("show", workersShow.descriptor, ["workers show ID"]),
    leaf("drain", workersDrain.descriptor, ["workers drain ID"])
  ]),
  branch("backfill", backfill.descriptor, [
    leaf("ls", backfillLs.descriptor, ["backfill ls"]),
    leaf("show", backfillShow.descriptor, ["backfill show ID"]),
    leaf("start", backfillStart.descriptor, [
      "backfill start invoices --failed",
      "backfill start invoices --since 2026-01-31 --yes --rate 10"
    ]),
    leaf("stop", backfillStop.descriptor, ["backfill stop ID"]),
    leaf("resume", backfillResume.descriptor, ["backfill resume ID"])
  ]),
  leaf("submit", submit.descriptor, [
    "submit Invoices --items items.json",
    "submit Invoices --items - --wait 60 --json"
  ]),
  leaf("plan", plan.descriptor, [
    "plan --folder ~/papers",
    "plan changed.yaml --against stored --vault invoices --azure",
    "plan new.yaml --against old.yaml --sample 500 --json"
  ])
]
