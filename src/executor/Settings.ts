import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as CutText from "../text/CutText.ts"
import * as ExactJson from "../domain/ExactJson.ts"
import { remember } from "../domain/Redaction.ts"
import { floatOf, integerOf, isNumber } from "../python/PythonNumber.ts"
import { ofValue } from "../python/PythonText.ts"
import { isTrue } from "../python/PythonTruth.ts"

export type SettingType = "string" | "integer" | "number" | "boolean" | "array" | "object"

/** What a person, the UI and the generated catalog need to know of a setting. */
export interface SettingInfo {
  readonly type: SettingType
  readonly description: string
  readonly required: boolean
  /** The value that an absent, null or (for texts) blank setting gets. */
  readonly default: unknown
  readonly min?: number
  readonly max?: number
  readonly options?: ReadonlyArray<string>
  readonly secret?: boolean
}

/** One setting: how a raw value of a definition becomes the executor's value. */
export interface Setting<A> {
  readonly info: SettingInfo
  readonly schema: Schema.Schema<A, unknown>
  /** What is odd about a raw value that is taken all the same, as the original takes it; comes after `The setting <name> `. */
  readonly advise?: (raw: unknown) => string | undefined
  /** True for what changes when and how fast the work is done, and never what comes of it. */
  readonly isPace?: boolean
}

/** The same setting, known to change no result. */
export const pace = <A>(setting: Setting<A>): Setting<A> => ({ ...setting, isPace: true })

/** The values that results depend on. */
export const decisive = (
  fields: Fields,
  values: Readonly<Record<string, unknown>>
): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(values).filter(([name]) => fields[name]?.isPace !== true))

// oxlint-disable-next-line typescript/no-explicit-any -- only a bound: a setting of any type
export type Fields = { readonly [name: string]: Setting<any> }
export type TypeOf<F extends Fields> = {
  readonly [K in keyof F]: F[K] extends Setting<infer A> ? A : never
}

/** A setting that is wrong: its name inside `settings` (with the path into it), and why. */
export interface SettingProblem {
  readonly path: ReadonlyArray<string | number>
  readonly message: string
}

/**
 * Decodes `raw` by these fields, with all problems at once. Absent or null gives the default, or a problem when the setting is
 * required. Settings that no field names are ignored.
 */
export const decoder = <F extends Fields>(
  fields: F
): ((raw: Readonly<Record<string, unknown>>) => Either.Either<TypeOf<F>, ReadonlyArray<SettingProblem>>) => {
  const decoders = Object.entries(fields).map(
    ([name, setting]) => [name, setting.info, Schema.decodeUnknownEither(setting.schema, { errors: "all" })] as const
  )
  return (raw) => {
    const values: Record<string, unknown> = {}
    const problems: Array<SettingProblem> = []
    for (const [name, info, decode] of decoders) {
      const given = Object.hasOwn(raw, name) ? raw[name] : undefined
      if (given === undefined || given === null) {
        if (info.required) problems.push({ path: [name], message: `The setting ${name} is required.` })
        else values[name] = info.default
        continue
      }
      const result = decode(given)
      if (Either.isRight(result)) values[name] = result.right
      else {
        for (const issue of ParseResult.ArrayFormatter.formatErrorSync(result.left)) {
          problems.push({
            path: [name, ...issue.path.map(pathElement)],
            message: `The setting ${name} ${issue.message}`
          })
        }
      }
    }
    return problems.length > 0 ? Either.left(problems) : Either.right(values as TypeOf<F>)
  }
}

/** What is odd about the settings that were given, each by itself. */
export const advice = (fields: Fields, raw: Readonly<Record<string, unknown>>): ReadonlyArray<SettingProblem> =>
  Object.entries(fields).flatMap(([name, { advise }]) => {
    const given = Object.hasOwn(raw, name) ? raw[name] : undefined
    const message = given === undefined || given === null ? undefined : advise?.(given)
    return message === undefined ? [] : [{ path: [name], message: `The setting ${name} ${message}` }]
  })

interface Common<A> {
  readonly description: string
  readonly default: A
}
export interface RequiredSetting {
  readonly description: string
  readonly required: true
}
type Presence<A> = Common<A> | RequiredSetting
type Given<A, O> = O extends Common<infer D> ? A | D : A

interface Suggested {
  /** What the UI offers; other texts are taken, too. */
  readonly options?: ReadonlyArray<string>
}

/** A text, trimmed; blank counts as absent. Anything else is taken in its Python text form. */
export const string = <const O extends Presence<string | null> & Suggested>(options: O): Setting<Given<string, O>> => ({
  ...setting<string, O>("string", options, options.options === undefined ? {} : { options: options.options }, (raw) => {
    const text = textOf(raw).trim()
    return text === "" ? blank(options) : Either.right(text)
  }),
  advise: textAdvice
})

/** A text as it is written, blanks included, with the escapes \n \r \t \\ understood: separators and delimiters. */
export const separator = <const O extends Presence<string | null>>(options: O): Setting<Given<string, O>> => ({
  ...setting<string, O>("string", options, {}, (raw) => {
    const text = textOf(raw)
    return text === "" ? blank(options) : Either.right(unescape(text))
  }),
  advise: textAdvice
})

interface Leniency<V> {
  /** What an unknown value counts as; without it one is refused. */
  readonly unknown?: V
  /** What a blank text counts as, where that is not the default. */
  readonly blank?: V
  /** Whether capital letters do not matter. */
  readonly anyCase?: boolean
}

/** One of `values`. */
export const choice = <const V extends string, const O extends Presence<NoInfer<V> | null> & Leniency<NoInfer<V>>>(
  values: ReadonlyArray<V>,
  options: O
): Setting<Given<V, O>> => {
  const find = (raw: unknown): V | undefined => {
    const text = typeof raw === "string" ? raw.trim() : raw
    const known = typeof text === "string" && options.anyCase === true ? text.toLowerCase() : text
    return values.find((value) => value === known)
  }
  const isBlank = (raw: unknown): boolean => typeof raw === "string" && raw.trim() === ""
  return {
    ...setting<V, O>("string", options, { options: values }, (raw) => {
      if (isBlank(raw)) return options.blank === undefined ? blank(options) : Either.right(options.blank)
      const found = find(raw) ?? options.unknown
      return found === undefined
        ? refuse(`must be one of ${values.join(", ")}, not ${shown(raw)}.`)
        : Either.right(found)
    }),
    advise: (raw) =>
      isBlank(raw)
        ? options.blank === undefined
          ? undefined
          : `is blank, which counts as ${options.blank}, not as left out.`
        : find(raw) === undefined
          ? `is ${shown(raw)}, none of ${values.join(", ")}, so it counts as ${options.unknown}.`
          : undefined
  }
}

/** A text that no log and no error shows. */
export const secret = <const O extends Presence<null>>(options: O): Setting<Given<Redacted.Redacted, O>> =>
  setting<Redacted.Redacted, O>("string", options, { secret: true }, (raw) => {
    const text = scalarText(raw)
    if (text === undefined) return refuse("must be a text.")
    if (text.trim() === "") return blank(options)
    remember(text.trim())
    return Either.right(Redacted.make(text.trim()))
  })

/** A secret that is taken as it is written: blanks are part of it, and may be all of it. */
export const password = <const O extends Presence<null>>(options: O): Setting<Given<Redacted.Redacted, O>> =>
  setting<Redacted.Redacted, O>("string", options, { secret: true }, (raw) => {
    const text = scalarText(raw)
    if (text === undefined) return refuse("must be a text.")
    if (text === "") return blank(options)
    if (text.trim() !== "") remember(text)
    return Either.right(Redacted.make(text))
  })

interface Bounds {
  readonly min?: number
  readonly max?: number
}

/** A whole number: numbers are cut, booleans count as 0 and 1, texts are read as Python's int() reads them. */
export const integer = <const O extends Presence<number | null> & Bounds>(options: O): Setting<Given<number, O>> =>
  setting<number, O>("integer", options, bounds(options), (raw) => {
    const value = isNumber(raw)
      ? Math.trunc(Number(raw))
      : typeof raw === "boolean"
        ? Number(raw)
        : typeof raw === "string"
          ? Number(integerOf(raw) ?? Number.NaN)
          : undefined
    if (value === undefined || !Number.isFinite(value)) return refuse(`must be a whole number, not ${shown(raw)}.`)
    return within(value, options)
  })

/** A number: texts are read as Python's float() reads them. */
export const number = <const O extends Presence<number | null> & Bounds>(options: O): Setting<Given<number, O>> =>
  setting<number, O>("number", options, bounds(options), (raw) => {
    const value = isNumber(raw)
      ? Number(raw)
      : typeof raw === "boolean"
        ? Number(raw)
        : typeof raw === "string"
          ? floatOf(raw)
          : undefined
    if (value === undefined || !Number.isFinite(value)) return refuse(`must be a number, not ${shown(raw)}.`)
    return within(value, options)
  })

/** True or false; of texts `true`, `1` and `yes` are true and all others false. */
export const boolean = <O extends Presence<boolean>>(options: O): Setting<Given<boolean, O>> =>
  setting<boolean, O>("boolean", options, {}, (raw) => {
    if (typeof raw === "boolean") return Either.right(raw)
    if (typeof raw === "string") return Either.right(["true", "1", "yes"].includes(raw.trim().toLowerCase()))
    return refuse(`must be true or false, not ${shown(raw)}.`)
  })

/** A list of texts: a YAML list, a JSON list as text, or a comma list. Elements are trimmed, blank ones dropped. */
export const list = <const O extends Presence<ReadonlyArray<string> | null>>(
  options: O
): Setting<Given<ReadonlyArray<string>, O>> => ({
  ...setting<ReadonlyArray<string>, O>("string", options, {}, (raw) => {
    const elements = listOf(raw)
    return elements.length === 0 ? blank(options) : Either.right(elements)
  }),
  advise: (raw) => (isObject(raw) ? textAdvice(raw) : undefined)
})

/** A mapping: a YAML mapping, or a JSON object as text (which is how the UI's form sends it). */
export const object = <const O extends Presence<Readonly<Record<string, unknown>> | null>>(
  options: O
): Setting<Given<Readonly<Record<string, unknown>>, O>> =>
  setting<Readonly<Record<string, unknown>>, O>("object", options, {}, (raw) => {
    const value = typeof raw === "string" && raw.trim() !== "" ? parseJson(raw) : raw
    if (isFalse(value) && !isObject(value)) return blank(options)
    return isObject(value)
      ? Either.right(value)
      : refuse(`must be a mapping, or a JSON object as text, not ${kindOf(raw)}.`)
  })

/** A list of anything: a YAML list, or a JSON list as text. */
export const array = <
  const O extends Presence<ReadonlyArray<unknown> | null> & Pick<Leniency<ReadonlyArray<unknown>>, "blank">
>(
  options: O
): Setting<Given<ReadonlyArray<unknown>, O>> =>
  setting<ReadonlyArray<unknown>, O>("array", options, {}, (raw) => {
    const value = typeof raw === "string" && raw.trim() !== "" ? parseJson(raw) : raw
    if (isFalse(value) && !Array.isArray(value)) {
      return options.blank === undefined ? blank(options) : Either.right(options.blank)
    }
    return Array.isArray(value)
      ? Either.right(value)
      : refuse(`must be a list, or a JSON list as text, not ${kindOf(raw)}.`)
  })

/** A setting with a reading of its own. Left says what is wrong, and comes after `The setting <name> `. */
export const custom = <A, const O extends Presence<A | null>>(
  type: SettingType,
  options: O,
  read: (raw: unknown) => Either.Either<A, string>,
  advise?: (raw: unknown) => string | undefined
): Setting<Given<A, O>> => ({
  ...setting<A, O>(type, options, {}, read),
  ...(advise === undefined ? {} : { advise })
})

// --- How the constructors above are made ---

type Coerced<A> = Either.Either<A, string>

const refuse = (message: string): Coerced<never> => Either.left(message)

const setting = <A, O extends Presence<unknown>>(
  type: SettingType,
  options: O,
  more: Partial<SettingInfo>,
  coerce: (raw: unknown) => Coerced<A>
): Setting<Given<A, O>> => ({
  info: {
    type,
    description: options.description,
    required: "required" in options,
    default: "default" in options ? options.default : null,
    ...more
  },
  schema: Schema.declare(
    [],
    {
      decode: () => (raw, _, ast) =>
        Either.mapLeft(coerce(raw), (message) => new ParseResult.Type(ast, raw, message)) as Either.Either<
          Given<A, O>,
          ParseResult.Type
        >,
      encode: () => (value) => Either.right(value)
    },
    { description: options.description }
  ) as Schema.Schema<Given<A, O>, unknown>
})

/** What a blank text stands for. */
const blank = (options: Presence<unknown>): Coerced<never> =>
  "default" in options ? Either.right(options.default as never) : refuse("is required and must not be blank.")

const bounds = (options: Bounds): Bounds => ({
  ...(options.min === undefined ? {} : { min: options.min }),
  ...(options.max === undefined ? {} : { max: options.max })
})

const within = (value: number, { max, min }: Bounds): Coerced<number> => {
  if (min !== undefined && value < min) return refuse(`must be at least ${min}, not ${value}.`)
  if (max !== undefined && value > max) return refuse(`must be at most ${max}, not ${value}.`)
  return Either.right(value)
}

const scalarText = (raw: unknown): string | undefined => {
  if (typeof raw === "string") return raw
  if (isNumber(raw)) return String(raw)
  if (typeof raw === "boolean") return raw ? "True" : "False"
  return undefined
}

const textOf = (raw: unknown): string => scalarText(raw) ?? ofValue(raw)

/** Scalars have their advice where their spelling in the YAML text is known. */
const textAdvice = (raw: unknown): string | undefined =>
  typeof raw === "object"
    ? `takes a text, and this is ${kindOf(raw)}, so it counts as ${CutText.cut(JSON.stringify(textOf(raw)), 100)}.`
    : undefined

/** What is false in Python counts as left out where a list or a mapping is expected. */
const isFalse = (value: unknown): boolean =>
  value !== undefined && !isTrue(typeof value === "string" ? value.trim() : value)

const listOf = (raw: unknown): ReadonlyArray<string> => {
  if (Array.isArray(raw)) return raw.flatMap((element) => scalarText(element)?.trim() || [])
  const text = textOf(raw)
  const json = text.trim().startsWith("[") ? parseJson(text) : undefined
  return Array.isArray(json)
    ? listOf(json)
    : text
        .split(",")
        .map((element) => element.trim())
        .filter((element) => element !== "")
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const parseJson = (text: string): unknown => {
  try {
    return ExactJson.parse(text)
  } catch {
    return undefined
  }
}

const unescape = (text: string): string =>
  text.replace(/\\([nrt\\])/g, (_, letter: string) => ({ n: "\n", r: "\r", t: "\t" })[letter] ?? "\\")

const kindOf = (raw: unknown): string =>
  raw === null ? "null" : Array.isArray(raw) ? "a list" : typeof raw === "object" ? "a mapping" : `a ${typeof raw}`

const shown = (raw: unknown): string =>
  typeof raw === "object"
    ? kindOf(raw)
    : typeof raw === "bigint"
      ? String(raw)
      : CutText.cut(JSON.stringify(raw) ?? typeof raw, 100)

const pathElement = (element: PropertyKey): string | number => (typeof element === "number" ? element : String(element))
