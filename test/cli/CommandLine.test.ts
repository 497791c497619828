import { assert, describe, it } from "@effect/vitest"
import * as CommandDescriptor from "@effect/cli/CommandDescriptor"
import * as CliConfig from "@effect/cli/CliConfig"
import { NodeContext } from "@effect/platform-node"
import { Effect } from "effect"
import * as Cli from "../../src/cli/Cli.ts"
import type { CommandTree } from "../../src/cli/CommandTree.ts"
import * as CommandTrees from "../../src/cli/CommandTree.ts"
import * as Help from "../../src/cli/Help.ts"
import * as Misspelling from "../../src/cli/Misspelling.ts"
import { isService } from "../../src/cli/Services.ts"
import { cli } from "./Captured.ts"

const all = (path: ReadonlyArray<CommandTree>): ReadonlyArray<ReadonlyArray<CommandTree>> => [
  path,
  ...(path.at(-1)?.children ?? []).flatMap((child) => all([...path, child]))
]

/** The words of a shell's line; what is redirected is none of them. */
const wordsOf = (example: string): ReadonlyArray<string> =>
  example
    .replace(/ [<>] .*/, "")
    .split(" ")
    .map((word) => word.replaceAll("'", "").replace("~/papers", "."))

describe("help", () => {
  it.effect("of every command has its options, those of all commands, and examples that can be typed", () =>
    Effect.gen(function* () {
      for (const path of all([Cli.tree])) {
        const command = path.at(-1) ?? Cli.tree
        const name = path.map((each) => each.name).join(" ")
        const text = Help.print({ path, command }, { columns: 80, hasStyles: false })
        assert.isNotEmpty(command.examples, `an example of ${name}, in Cli.tree`)
        for (const example of command.examples) {
          assert.include(text, `  contentflow-worker ${example}`)
          assert.isUndefined(Misspelling.find(CommandTrees.locate(Cli.tree, wordsOf(example))), example)
          if (example.includes("--help")) continue
          yield* CommandDescriptor.parse(
            Cli.tree.descriptor,
            ["contentflow-worker", ...wordsOf(example)],
            CliConfig.defaultConfig
          )
        }
        for (const option of [...CommandTrees.shapeOf(command).options, ...CommandTrees.builtIns]) {
          assert.include(text, `  ${option.names[0] ?? ""}`, name)
        }
        assert.notInclude(text, "user-defined piece")
        assert.notInclude(text, "\u001b")
      }
    }).pipe(Effect.provide(NodeContext.layer))
  )

  it("ends its lines between words, however wide the terminal is", () => {
    for (const path of all([Cli.tree])) {
      const command = path.at(-1) ?? Cli.tree
      const words = (columns: number) => Help.print({ path, command }, { columns, hasStyles: false }).split(/\s+/)
      const narrow = Help.print({ path, command }, { columns: 60, hasStyles: false })
      assert.deepStrictEqual(words(60), words(100))
      // Examples and names of options stay whole.
      for (const line of narrow.split("\n").filter((each) => each.startsWith(" ".repeat(24))))
        assert.isAtMost(line.length, 60)
    }
  })

  it.effect("is what the program says without a command, and is bold only in a terminal", () =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* cli([])
      assert.deepStrictEqual([code, stderr], [0, ""])
      assert.include(stdout, "COMMANDS")
      const { columns, hasStyles } = { columns: 80, hasStyles: true }
      assert.include(
        Help.print({ path: [Cli.tree], command: Cli.tree }, { columns, hasStyles }),
        "\u001b[1mCOMMANDS\u001b[0m"
      )
    })
  )
})

describe("wrong usage", () => {
  it.effect("is told with the option that it is about, and the near one", () =>
    Effect.gen(function* () {
      const told: ReadonlyArray<readonly [string, string]> = [
        ["strat", "There is no command strat. Did you mean start?"],
        ["demo --wacth", "has no option --wacth. Did you mean --watch?"],
        ["run p.yaml --outpt x", "Did you mean --output?"],
        ["run p.yaml --outpt=x", "Did you mean --output?"],
        ["executors --josn", "Did you mean --json?"],
        ["validate p.yaml --grpah", "Did you mean --graph?"],
        ["serve --onec", "Did you mean --once?"],
        ["start --log-levl debug", "Did you mean --log-level?"],
        ["start --log-level debgu", "Did you mean debug?"],
        ["demo --documents nope", "--documents nope: "],
        ["run p.yaml --jobs x", "--jobs x: "],
        ["run p.yaml --jobs 0", "--jobs takes a whole number"],
        ["run p.yaml --format xml", "--format takes one of json, markdown, text"],
        ["run p.yaml --output", "--output needs a value: --output DIR"],
        ["run p.yaml --output --json", "--output needs a value"],
        ["serve a b", "one argument too many: b"],
        ["run", "Missing argument <FILE>. See: contentflow-worker run --help"],
        ["executions show", "Missing argument <ID>. See: contentflow-worker executions show --help"],
        ["submit Line", "Missing option --items. See: contentflow-worker submit --help"]
      ]
      for (const [words, message] of told) {
        const { code, stderr, stdout } = yield* cli(words.split(" "))
        assert.deepStrictEqual([code, stdout], [2, ""], words)
        assert.include(stderr, message)
      }
    })
  )

  it.effect("leaves files alone that only look like options", () =>
    Effect.gen(function* () {
      const { code, stderr } = yield* cli(["validate", "--", "--odd.yaml"])
      assert.strictEqual(code, 1)
      assert.include(stderr, "1 file")
    })
  )
})

describe("what a signal is", () => {
  it("is the end of a service, and the interruption of everything else", () => {
    const services = ["start", "serve", "serve x", "demo --watch", "--log-level debug start"]
    const others = ["run p.yaml start", "serve --once", "serve x --once", "demo", "validate serve", ""]
    for (const words of services) assert.isTrue(isService(["node", "main.js", ...words.split(" ")]), words)
    for (const words of others) assert.isFalse(isService(["node", "main.js", ...words.split(" ")]), words)
  })
})

describe("what keeps a service from starting", () => {
  it.effect("is a line of the log where that is JSON, and words elsewhere", () =>
    Effect.gen(function* () {
      const json = yield* cli(["start"], { LOG_FORMAT: "json", NUM_SOURCE_WORKERS: "x" })
      assert.strictEqual(json.code, 1)
      const line = JSON.parse(json.stderr)
      assert.deepStrictEqual([line.level, typeof line.timestamp], ["FATAL", "string"])
      assert.include(line.message, "NUM_SOURCE_WORKERS")
      const words = yield* cli(["start"], { LOG_FORMAT: "pretty", NUM_SOURCE_WORKERS: "x" })
      assert.match(words.stderr, /^The configuration has/)
      const unset = yield* cli(["start"])
      assert.match(unset.stderr, /^There are three ways/)
    })
  )

  it.effect("may be a level of the command line, which goes before the environment's", () =>
    Effect.gen(function* () {
      const { stderr } = yield* cli(["--log-level", "debug", "start"], { LOG_LEVEL: "nonsense" })
      assert.notInclude(stderr, "LOG_LEVEL")
      const own = yield* cli(["start"], { LOG_LEVEL: "nonsense" })
      assert.include(own.stderr, "LOG_LEVEL")
    })
  )
})
