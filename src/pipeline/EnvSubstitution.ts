import * as Config from "effect/Config"
import type * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { remember } from "../domain/Redaction.ts"
import type { SettingProblem } from "../executor/Settings.ts"

/**
 * `${NAME}` in the settings of a definition.
 *
 * The rule: it is replaced wherever it stands in a text, a list or a mapping, before the settings are checked, so that
 * `${X}` also works for numbers. Only allowed names may be read; a name that is not allowed or not set is an error of the
 * definition. (The original reads any variable, replaces whole texts only, after the check, and keeps the text of one that
 * is not set. An executor that gets such a text directly still keeps it.) `$${NAME}` stands for the text `${NAME}`. A
 * `condition` is left as it is: a value could change what it means.
 */
export interface Substituted {
  readonly settings: Readonly<Record<string, unknown>>
  /** The texts that must not appear in messages, with what to show instead. */
  readonly secrets: ReadonlyMap<string, string>
}

/** What may be read, and from where. */
export interface ReadableVariables {
  readonly allowed: ReadonlySet<string>
  readonly provider: ConfigProvider.ConfigProvider
}

/** The settings with every `${NAME}` replaced, or a problem for every setting where that is not possible. */
export const substitute = (
  raw: Readonly<Record<string, unknown>>,
  variables: ReadableVariables
): Effect.Effect<Either.Either<Substituted, ReadonlyArray<SettingProblem>>> => {
  const names = new Set<string>()
  if (!collect(raw, names)) return Effect.succeed(Either.right({ settings: raw, secrets: new Map() }))
  return Effect.map(
    Effect.forEach(names, (name) => Effect.map(read(name, variables), (value) => [name, value] as const)),
    (read) => {
      const values = new Map(read)
      const problems: Array<SettingProblem> = []
      const settings = replace(raw, values, [], problems)
      const secrets = new Map<string, string>()
      for (const [name, value] of values) {
        if (Either.isLeft(value) || value.right.trim() === "") continue
        secrets.set(value.right.trim(), `\${${name}}`)
        if (soundsSecret.test(name)) remember(value.right.trim())
      }
      return problems.length > 0
        ? Either.left(problems)
        : Either.right({ settings: settings as Readonly<Record<string, unknown>>, secrets })
    }
  )
}

/** A message about settings without the values that came from variables: they may be secrets. */
export const withoutSecrets = (message: string, secrets: Substituted["secrets"]): string => {
  if (secrets.size === 0) return message
  const [text, shown] = message.split(", not ", 2)
  // Long values are shown cut off, so what is shown can't be searched for the value.
  const safe =
    shown === undefined || text === undefined
      ? message
      : `${text}, not what ${[...secrets.values()].join(" or ")} holds.`
  return [...secrets].reduce((hidden, [value, name]) => hidden.replaceAll(value, name), safe)
}

/** Whatever setting such a variable stands in, no error may quote it. */
const soundsSecret = /KEY|SECRET|TOKEN|PASSWORD|PWD|CREDENTIAL|CONNECTION|SAS/i

const reference = /\$?\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g

const isReplaced = (path: ReadonlyArray<string | number>): boolean => path.at(-1) !== "condition"

/** Collects the names to read; false when there is nothing to replace at all, not even an escaped one. */
const collect = (value: unknown, names: Set<string>, path: ReadonlyArray<string | number> = []): boolean => {
  let found = false
  if (typeof value === "string") {
    if (!value.includes("${") || !isReplaced(path)) return false
    for (const [text, name] of value.matchAll(reference)) {
      found = true
      if (name !== undefined && !text.startsWith("$$")) names.add(name)
    }
  } else if (Array.isArray(value)) {
    for (const [index, each] of value.entries()) found = collect(each, names, [...path, index]) || found
  } else if (isMapping(value)) {
    for (const [key, each] of Object.entries(value)) found = collect(each, names, [...path, key]) || found
  }
  return found
}

type Values = ReadonlyMap<string, Either.Either<string, string>>

const replace = (
  value: unknown,
  values: Values,
  path: ReadonlyArray<string | number>,
  problems: Array<SettingProblem>
): unknown => {
  if (typeof value === "string") {
    if (!value.includes("${") || !isReplaced(path)) return value
    return value.replace(reference, (text, name: string) => {
      if (text.startsWith("$$")) return text.slice(1)
      const found = values.get(name)
      if (found === undefined) return text
      if (Either.isRight(found)) return found.right
      problems.push({ path, message: found.left })
      return text
    })
  }
  if (Array.isArray(value))
    return value.map((each: unknown, index) => replace(each, values, [...path, index], problems))
  if (!isMapping(value)) return value
  const replaced: Record<string, unknown> = Object.create(null)
  for (const [key, each] of Object.entries(value)) replaced[key] = replace(each, values, [...path, key], problems)
  return replaced
}

const read = (name: string, { allowed, provider }: ReadableVariables): Effect.Effect<Either.Either<string, string>> =>
  allowed.has(name)
    ? Effect.match(provider.load(Config.string(name)), {
        onSuccess: Either.right,
        onFailure: () => Either.left(`The environment variable ${name} is not set in this worker.`)
      })
    : Effect.succeed(
        Either.left(
          `The environment variable ${name} may not be read by definitions. Add it to PIPELINE_ENV_ALLOWLIST, or write $\${${name}} for the text itself.`
        )
      )

const isMapping = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value)
