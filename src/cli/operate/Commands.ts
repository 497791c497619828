import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import type * as CommandTree from "../CommandTree.ts"
import { ended } from "../Ended.ts"
import { refuse } from "../WrongUsage.ts"

const text = (name: string, pseudoName: string, description: string) =>
  Options.text(name).pipe(Options.withPseudoName(pseudoName), Options.withDescription(description), Options.optional)

const place = {
  folder: text("folder", "DIR", "A folder that serve runs on; the working directory when it is one."),
  azure: Options.boolean("azure").pipe(
    Options.withDescription("The installation on Azure that the settings name, as for start.")
  )
}

const json = Options.boolean("json").pipe(Options.withDescription("Write JSON: of a list one line for each."))

const shown = { ...place, json }

const listed = {
  ...shown,
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
      rate > 0 && rate <= 10_000 ? Effect.succeed(rate) : refuse("--rate takes a number above 0, up to 10000.")
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

const executionsShow = Command.make("show", { id: one("the execution"), ...shown }, (options) =>
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

/** The commands on an installation. */
export const commands = [executions, poison] as const

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
  ])
]
