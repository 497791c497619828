import * as Arr from "effect/Array"
import type { Variable } from "./Variable.ts"
import { variables } from "./Variables.ts"

/** The tables of settings in the README beside this file: one table a group. */
export const markdownTable = (): string =>
  groups()
    .map(([group, members]) =>
      [
        `### ${group}`,
        "",
        "| Variable | Type | Default | App Configuration | Meaning |",
        "| --- | --- | --- | --- | --- |",
        ...members.map((one) =>
          row([
            [one.name, ...one.aliases].map((name) => `\`${name}\``).join(" or "),
            one.kind.label,
            one.default === null ? (one.without ?? "") : `\`${one.default}\``,
            one.stored ? "yes" : "no",
            one.description
          ])
        )
      ].join("\n")
    )
    .join("\n\n")

/** The text of `.env.example`: every setting with its default, commented out; what must be filled in is left open. */
export const envExample = (): string =>
  [
    "# Copy to .env and fill in what is open. Real environment variables and App Configuration come before this file.",
    ...groups().flatMap(([group, members]) => ["", `# --- ${group} ---`, ...members.flatMap(exampleOf)]),
    ""
  ].join("\n")

const exampleOf = (one: Variable<unknown>): ReadonlyArray<string> => [
  "",
  `# ${plain(one.description)}`,
  `# ${one.kind.label}; ${one.default === null ? `without it: ${plain(one.without ?? "")}` : `default ${one.default}`}`,
  one.without?.startsWith("required") === true ? `${one.name}=` : `# ${one.name}=${one.default ?? ""}`
]

const plain = (markdown: string): string => markdown.replaceAll("`", "")

const groups = (): ReadonlyArray<readonly [string, ReadonlyArray<Variable<unknown>>]> =>
  Object.entries(Arr.groupBy<Variable<unknown>, string>(Object.values(variables), (one) => one.group))

const row = (cells: ReadonlyArray<string>): string =>
  `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`
