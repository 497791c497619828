import * as Arr from "effect/Array"
import { type Described, toYaml } from "./CatalogExample.ts"
import type { Category } from "./Executor.ts"
import type { SettingInfo } from "./Settings.ts"

/** The page of all types: `src/executors/README.md`. `common` are the settings that every type has. */
export const print = (executors: ReadonlyArray<Described>, common: Readonly<Record<string, SettingInfo>>): string =>
  [
    "# Executors",
    // The formatter would pad the tables, so that a new row changes all.
    "<!-- oxfmt-ignore-start -->",
    "Written by `contentflow-worker executors --markdown` from the Schemas of the executors. Do not edit it: run the command again.",
    ...inOrder(Arr.groupBy(executors, ({ category }) => category)).flatMap(([category, members]) => [
      `## ${category}`,
      table(
        ["Type", "What it does"],
        members.map(({ description, type }) => [`[\`${type}\`](#${type})`, description])
      )
    ]),
    "## Settings of every type",
    settingsTable(common),
    ...forgiving(executors),
    ...executors.flatMap((executor) => section(executor, new Set(Object.keys(common)))),
    "<!-- oxfmt-ignore-end -->"
  ].join("\n\n")

/** In the order in which documents pass through a pipeline. */
const categories: ReadonlyArray<Category> = [
  "input",
  "extract",
  "transform",
  "analyse",
  "document_set",
  "control_flow",
  "pipeline",
  "output",
  "Utility"
]

const inOrder = <A>(groups: Readonly<Record<string, A>>): ReadonlyArray<readonly [Category, A]> =>
  categories.flatMap((category) => {
    const group = groups[category]
    return group === undefined ? [] : [[category, group] as const]
  })

const section = (executor: Described, common: ReadonlySet<string>): ReadonlyArray<string> => [
  `## ${executor.type}`,
  [
    executor.description,
    ...(executor.aliases.length === 0 ? [] : [`Also known as ${executor.aliases.map(code).join(", ")}.`]),
    ...(executor.canCrawl ? ["It can be a vault's source."] : []),
    ...Object.keys(executor.settings)
      .filter((name) => common.has(name))
      .map((name) => `Its own ${code(name)} takes the place of the common one.`)
  ].join(" "),
  ...(Object.keys(executor.settings).length === 0
    ? ["It has no settings of its own."]
    : [settingsTable(executor.settings)]),
  `\`\`\`yaml\n${toYaml(executor)}\n\`\`\``
]

const forgiving = (executors: ReadonlyArray<Described>): ReadonlyArray<string> => {
  const types = executors.filter(({ failOnError }) => !failOnError).map(({ type }) => code(type))
  return types.length === 0 ? [] : [`The default of \`fail_pipeline_on_error\` is \`false\` for ${types.join(", ")}.`]
}

const settingsTable = (settings: Readonly<Record<string, SettingInfo>>): string =>
  table(
    ["Setting", "Type", "Default", "Meaning"],
    Object.entries(settings).map(([name, info]) => [
      code(name),
      info.secret === true ? `${info.type}, secret` : info.type,
      info.required ? "required" : info.default === null ? "" : code(JSON.stringify(info.default)),
      [info.description, ...limitsOf(info).map((limit) => `${limit}.`)].join(" ")
    ])
  )

/** What a value must keep to, in words: `One of a, b`, `At least 1`. */
export const limitsOf = ({ max, min, options }: SettingInfo): ReadonlyArray<string> => [
  ...(options === undefined ? [] : [`One of ${options.join(", ")}`]),
  ...(min !== undefined && max !== undefined
    ? [`From ${min} to ${max}`]
    : min !== undefined
      ? [`At least ${min}`]
      : max !== undefined
        ? [`At most ${max}`]
        : [])
]

const table = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.map(cell).join(" | ")} |`).join("\n")

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll(/\s+/g, " ").replaceAll("<", "&lt;")

/** With a fence longer than any in the text. */
const code = (text: string): string => (text.includes("`") ? `\`\` ${text} \`\`` : `\`${text}\``)
