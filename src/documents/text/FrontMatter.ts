import * as Either from "effect/Either"
import * as Yaml from "../../yaml/Yaml.ts"
import type { YamlNode } from "../../yaml/YamlNode.ts"
import type { Warnings } from "../Warnings.ts"

/** A text, and the fields that stood above it between two rules. */
export interface FrontMatter {
  readonly body: string
  /** Null if there are none, or none that are a mapping. */
  readonly frontMatter: Readonly<Record<string, unknown>> | null
}

/**
 * Takes the YAML front matter off a text. Values are as YAML has them, but for numbers that would not be written so again: versions (`1.10`), codes with zeros
 * in front and times (`12:30`) stay texts. A rule with a blank line below is one in the text.
 */
export const takeFrontMatter = (text: string, warnings: Warnings): FrontMatter => {
  const found = /^---[ \t]*\n(?![ \t]*\n)([\s\S]*?\n)?(?:---|\.\.\.)[ \t]*(?:\n|$)/.exec(text.slice(0, longest))
  if (found === null) return { body: text, frontMatter: null }
  const body = text.slice(found[0].length).replace(/^\n+/, "")
  const source = found[1] ?? ""
  const read = Yaml.parse(source, limits)
  if (Either.isLeft(read)) {
    // Its own lines begin below the opening rule.
    const [{ line, message }] = read.left.problems
    warnings.add(`The front matter is no valid YAML, and was left in the text: line ${line + 1}: ${message}`)
    return { body: text, frontMatter: null }
  }
  const { value } = read.right
  if (value.kind === "null") return { body, frontMatter: null }
  if (value.kind === "map") {
    return { body, frontMatter: { ...(plainOf(value, source.split("\n")) as Readonly<Record<string, unknown>>) } }
  }
  // two rules with text between them
  return { body: text, frontMatter: null }
}

const longest = 20_000

/** Front matter is a handful of fields. */
const limits = { bytes: 4 * longest, depth: 32, nodes: 10_000, aliases: 100 }

const plainOf = (node: YamlNode, lines: ReadonlyArray<string>): unknown => {
  switch (node.kind) {
    case "list":
      return node.items.map((item) => plainOf(item, lines))
    case "map": {
      const plain: Record<string, unknown> = Object.create(null)
      for (const [key, value] of node.entries) {
        // keys of a map are named as in definitions
        const [name = ""] = Object.keys(Yaml.toPlain({ ...node, entries: [[key, key]] }) as object)
        plain[name] = plainOf(value, lines)
      }
      return plain
    }
    case "int":
    case "float": {
      const written = /^[^\s,[\]{}#]+/.exec((lines[node.line - 1] ?? "").slice(node.column - 1))?.[0] ?? ""
      const value = Yaml.toPlain(node)
      if (/^[!&*"']/.test(written) || written === "") return value
      return String(value) === written ? value : written
    }
    default:
      return Yaml.toPlain(node)
  }
}
