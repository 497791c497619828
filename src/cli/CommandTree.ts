import type * as CommandDescriptor from "@effect/cli/CommandDescriptor"
import * as Descriptor from "@effect/cli/CommandDescriptor"
import type * as Usage from "@effect/cli/Usage"
import * as Option from "effect/Option"

/** A command as help and messages see it. */
export interface CommandTree {
  readonly name: string
  readonly descriptor: CommandDescriptor.Command<unknown>
  /** Command lines that somebody might type, without the program's name. */
  readonly examples: ReadonlyArray<string>
  readonly children: ReadonlyArray<CommandTree>
}

/** An option of a command, with what it takes. */
export interface KnownOption {
  /** `--output`, `-o`. */
  readonly names: ReadonlyArray<string>
  /** `DIR`, or `json | text`; null for a switch. */
  readonly value: string | null
}

/** Options that every command has. */
export const builtIns: ReadonlyArray<KnownOption & { readonly description: string }> = [
  { names: ["--help", "-h"], value: null, description: "Explain a command." },
  { names: ["--version"], value: null, description: "Print the version." },
  {
    names: ["--log-level"],
    value: "all | trace | debug | info | warning | error | fatal | none",
    description: "The least important lines of the log that are written, whatever LOG_LEVEL says."
  },
  {
    names: ["--completions"],
    value: "bash | fish | zsh",
    description: "Print a script with which this shell completes commands and options."
  },
  { names: ["--wizard"], value: null, description: "Ask for each argument of a command, and run it." }
]

/** Where a command line leads in the tree. */
export interface Located {
  /** From the program on. */
  readonly path: ReadonlyArray<CommandTree>
  readonly command: CommandTree
  /** The words behind the command's name. */
  readonly rest: ReadonlyArray<string>
  /** A word in the place of a subcommand that is none. */
  readonly unknown: string | null
}

export const locate = (root: CommandTree, words: ReadonlyArray<string>): Located => {
  const path = [root]
  let command = root
  let rest = words
  while (command.children.length > 0) {
    const at = rest.findIndex((word, index) => !word.startsWith("-") && !isValueOf(rest[index - 1]))
    const word = rest[at]
    if (word === undefined) return { path, command, rest, unknown: null }
    const next = command.children.find(({ name }) => name === word)
    if (next === undefined) return { path, command, rest, unknown: word }
    path.push(next)
    command = next
    rest = rest.toSpliced(at, 1)
  }
  return { path, command, rest, unknown: null }
}

/** Whether the word behind this one belongs to it. */
const isValueOf = (word: string | undefined): boolean =>
  builtIns.some(({ names, value }) => value !== null && word !== undefined && names.includes(word))

/** The options of a command, its arguments, and whether the last of these takes as many as there are. */
export interface Shape {
  readonly options: ReadonlyArray<KnownOption>
  /** `<FILE>`, `[<FOLDER>]`, `<DOCUMENT>...` */
  readonly args: ReadonlyArray<string>
}

export const shapeOf = ({ children, descriptor }: CommandTree): Shape => {
  const options: Array<KnownOption> = []
  const args: Array<string> = []
  if (children.length > 0) return { options, args }
  const walk = (usage: Usage.Usage, show: (name: string) => string): void => {
    switch (usage._tag) {
      case "Concat":
      case "Alternation":
        walk(usage.left, show)
        walk(usage.right, show)
        return
      case "Optional":
        walk(usage.usage, (name) => `[${show(name)}]`)
        return
      case "Repeated":
        walk(usage.usage, (name) => `${show(name)}...`)
        return
      case "Named": {
        const [first = ""] = usage.names
        if (first.startsWith("-")) options.push({ names: usage.names, value: Option.getOrNull(usage.acceptedValues) })
        else if (first.startsWith("<")) args.push(show(first))
        return
      }
      case "Empty":
      case "Mixed":
        return
    }
  }
  walk(Descriptor.getUsage(descriptor), (name) => name)
  return { options, args }
}
