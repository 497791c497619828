import { type Described, toYaml } from "../../executor/CatalogExample.ts"
import { limitsOf } from "../../executor/CatalogMarkdown.ts"
import type { SettingInfo } from "../../executor/Settings.ts"
import { aligned } from "../Columns.ts"
import { commonSettingsOf } from "./CommonSettingsOf.ts"

/** All types by category: the id and the name that the UI shows. */
export const list = (executors: ReadonlyArray<Described>): string =>
  aligned([["TYPE", "CATEGORY", "NAME"], ...executors.map(({ category, name, type }) => [type, category, name])])

/** One type for a reader at a terminal: what it does, its settings, and an example. */
export const details = (executor: Described): string =>
  [
    `${executor.type}: ${executor.name} (${executor.category})`,
    executor.description,
    ...(executor.aliases.length === 0 ? [] : [`Old names: ${executor.aliases.join(", ")}`]),
    ...(executor.canCrawl ? ["It can be a vault's source."] : []),
    "",
    "Settings:",
    ...(Object.keys(executor.settings).length === 0 ? ["  (none of its own)"] : linesOf(executor.settings)),
    "",
    "Settings of every type:",
    ...linesOf(commonSettingsOf(executor)),
    "",
    "Example:",
    ...indented(toYaml(executor))
  ].join("\n")

/** One type as plain data, the common settings after its own. */
export const toJson = (executor: Described): Readonly<Record<string, unknown>> => ({
  type: executor.type,
  name: executor.name,
  category: executor.category,
  description: executor.description,
  aliases: executor.aliases,
  can_crawl: executor.canCrawl,
  settings: { ...executor.settings, ...commonSettingsOf(executor) }
})

const linesOf = (settings: Readonly<Record<string, SettingInfo>>): ReadonlyArray<string> =>
  Object.entries(settings).flatMap(([name, info]) => [
    `  ${name} (${[typeOf(info), presenceOf(info), ...limitsOf(info).map(lowerFirst)].join("; ")})`,
    `      ${info.description}`
  ])

const typeOf = (info: SettingInfo): string => (info.secret === true ? `${info.type}, secret` : info.type)

const presenceOf = (info: SettingInfo): string =>
  info.required ? "required" : info.default === null ? "no default" : `default ${JSON.stringify(info.default)}`

const lowerFirst = (text: string): string => `${text.slice(0, 1).toLowerCase()}${text.slice(1)}`

const indented = (text: string): ReadonlyArray<string> => text.split("\n").map((line) => `  ${line}`)
