import * as Descriptor from "@effect/cli/CommandDescriptor"
import * as CliConfig from "@effect/cli/CliConfig"
import type * as HelpDoc from "@effect/cli/HelpDoc"
import type { Span } from "@effect/cli/HelpDoc/Span"
import * as CommandTree from "./CommandTree.ts"
import { version } from "../config/Version.ts"

/** Where help is written. */
export interface Page {
  readonly columns: number
  /** Whether headings may be bold. */
  readonly hasStyles: boolean
}

/** The help of a command: what it does, its arguments and options, those of every command, and examples. Lines end between words. */
export const print = ({ command, path }: Pick<CommandTree.Located, "command" | "path">, page: Page): string => {
  const called = path.map(({ name }) => name).join(" ")
  const { args, options } = CommandTree.shapeOf(command)
  const described = descriptionsOf(Descriptor.getHelp(command.descriptor, CliConfig.defaultConfig))
  const head = (title: string) => (page.hasStyles ? `\u001b[1m${title}\u001b[0m` : title)
  const section = (title: string, body: ReadonlyArray<string>) => (body.length === 0 ? [] : ["", head(title), ...body])
  const usage = [
    called,
    ...(command.children.length > 0 ? ["<command>"] : []),
    ...(options.length > 0 ? ["[options]"] : []),
    ...args
  ]
  const row = (name: string, text: string) => entry(name, text, page.columns)
  return [
    ...(path.length === 1 ? [`${called} ${version}`, ""] : []),
    ...wrap(described.text, page.columns),
    ...section("USAGE", [`  ${usage.join(" ")}`]),
    ...section(
      "COMMANDS",
      command.children.flatMap((child) =>
        row(
          `- ${child.name}`,
          firstSentence(descriptionsOf(Descriptor.getHelp(child.descriptor, CliConfig.defaultConfig)).text)
        )
      )
    ),
    ...section(
      "ARGUMENTS",
      args.flatMap((name) => row(name, described.of(name.replaceAll(/[[\].]/g, ""))))
    ),
    ...section(
      "OPTIONS",
      options.flatMap(({ names, value }) => row(nameOf(names, value), described.of(names[0] ?? "")))
    ),
    ...section(
      "OPTIONS OF EVERY COMMAND",
      CommandTree.builtIns.flatMap(({ description, names, value }) => row(nameOf(names, value), description))
    ),
    ...section(
      "EXAMPLES",
      command.examples.map((example) => `  ${path[0]?.name ?? ""} ${example}`)
    )
  ].join("\n")
}

const nameOf = (names: ReadonlyArray<string>, value: string | null): string =>
  [names.join(", "), ...(value === null ? [] : [value.includes(" | ") ? value.replaceAll(" | ", "|") : value])].join(
    " "
  )

const indent = 24

/** A name, and behind it or below it what it means. */
const entry = (name: string, text: string, columns: number): ReadonlyArray<string> => {
  const [first = "", ...more] = wrap(text, columns - indent)
  const lines = [first, ...more].map((line) => `${" ".repeat(indent)}${line}`)
  const start = `  ${name}`
  if (start.length >= indent) return [start, ...lines]
  return [`${start.padEnd(indent)}${first}`.trimEnd(), ...lines.slice(1)]
}

/** Lines of at most so many columns; a longer word has one of its own. */
const wrap = (text: string, columns: number): ReadonlyArray<string> => {
  const lines: Array<string> = []
  let line = ""
  for (const word of text.split(/\s+/)) {
    if (line !== "" && line.length + 1 + word.length > columns) {
      lines.push(line)
      line = word
    } else line = line === "" ? word : `${line} ${word}`
  }
  return [...lines, line]
}

const firstSentence = (text: string): string => /^.*?[.:](?=\s|$)/.exec(text)?.[0].replace(/:$/, ".") ?? text

interface Descriptions {
  readonly text: string
  /** What is said of an argument (`<FILE>`) or an option (`--output`). */
  readonly of: (name: string) => string
}

/** What the command's parts say of themselves, without the sentences that every option of a kind has. */
const descriptionsOf = (help: HelpDoc.HelpDoc): Descriptions => {
  const of = new Map<string, string>()
  let text = ""
  let title = ""
  const walk = (doc: HelpDoc.HelpDoc): void => {
    if (doc._tag === "Sequence") {
      walk(doc.left)
      walk(doc.right)
    } else if (doc._tag === "Header") title = plain(doc.value)
    else if (doc._tag === "Paragraph" && title === "DESCRIPTION") text ||= plain(doc.value)
    else if (doc._tag === "DescriptionList") {
      for (const [name, meaning] of doc.definitions) {
        const sentences = paragraphs(meaning).filter((sentence) => !common.some((each) => each.test(sentence)))
        for (const each of plain(name).split(/[\s,()]+/))
          if (/^(?:-|<)/.test(each)) of.set(each.replace(/\.+$/, ""), sentences.join(" "))
      }
    }
  }
  walk(help)
  return { text, of: (name) => of.get(name) ?? "" }
}

const common = [
  /^A user-defined piece of text\.$/,
  /^A true or false value\.$/,
  /^An integer\.$/,
  /^A file\.$/,
  /^A directory\.$/,
  /^One of the following: /,
  /^This (?:setting|option|argument) /
]

const paragraphs = (doc: HelpDoc.HelpDoc): ReadonlyArray<string> => {
  switch (doc._tag) {
    case "Sequence":
      return [...paragraphs(doc.left), ...paragraphs(doc.right)]
    case "Paragraph":
    case "Header":
      return [plain(doc.value).trim()]
    case "Enumeration":
      return doc.elements.flatMap(paragraphs)
    case "DescriptionList":
    case "Empty":
      return []
  }
}

/** The words of a message of the parser. */
export const textOf = (doc: HelpDoc.HelpDoc): string => paragraphs(doc).join(" ")

const plain = (span: Span): string => {
  switch (span._tag) {
    case "Sequence":
      return plain(span.left) + plain(span.right)
    case "Text":
    case "URI":
      return span.value
    case "Highlight":
    case "Strong":
    case "Weak":
      return plain(span.value)
  }
}
