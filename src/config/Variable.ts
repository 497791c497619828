import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import * as SecretShape from "../domain/SecretShape.ts"
import * as Loopback from "../web/Loopback.ts"
import { builtIn, concealed, type Mistake, nowhere } from "./ConfigError.ts"

export type Group =
  | "Azure resources"
  | "Signing in"
  | "Workers"
  | "Queue and tasks"
  | "Crawls"
  | "Pipelines"
  | "HTTP"
  | "Logs"
  | "Telemetry"
  | "Retention"
  | "Operations over HTTP"
  | "App Configuration"
  | "Accepted without effect"

/** How a text becomes a value. `parse` is only given trimmed, non-empty texts; its left side ends a sentence about the text. */
export interface Kind<A> {
  /** For people: `whole number, 1 to 32`. */
  readonly label: string
  readonly parse: (text: string) => Either.Either<A, string>
}

/** One setting: everything that decoding, the README's table and `.env.example` need to know. */
export interface Variable<A> {
  readonly name: string
  /** Further names under which it is found, after its own. */
  readonly aliases: ReadonlyArray<string>
  readonly group: Group
  readonly kind: Kind<unknown>
  /** The text that counts when there is none; null without default. */
  readonly default: string | null
  /** Instead of a default, for people: `required`, or what happens without a value. */
  readonly without: string | null
  readonly secret: boolean
  /** Whether App Configuration may set it. */
  readonly stored: boolean
  readonly description: string
  readonly decode: (found: Found | undefined) => Either.Either<A, Mistake>
}

/** A non-empty text and where it came from. */
export interface Found {
  readonly text: string
  readonly source: string
}

interface Facts {
  readonly name: string
  readonly aliases?: ReadonlyArray<string>
  readonly group: Group
  readonly description: string
  readonly secret?: boolean
  readonly stored?: boolean
}

export const withDefault = <A>(kind: Kind<A>, facts: Facts & { readonly default: string }): Variable<A> => ({
  ...common(kind, facts),
  default: facts.default,
  without: null,
  decode: (found) => parse(kind, facts, found ?? { text: facts.default, source: builtIn })
})

/** Null when there is no value; `without` says what that means. */
export const optional = <A>(kind: Kind<A>, facts: Facts & { readonly without: string }): Variable<A | null> => ({
  ...common(kind, facts),
  default: null,
  without: facts.without,
  decode: (found) => (found === undefined ? Either.right(null) : parse(kind, facts, found))
})

export const required = <A>(kind: Kind<A>, facts: Facts): Variable<A> => ({
  ...common(kind, facts),
  default: null,
  without: "required",
  decode: (found) => (found === undefined ? Either.left(missing(facts.name)) : parse(kind, facts, found))
})

export const missing = (name: string, unless = ""): Mistake => ({
  variable: name,
  value: null,
  reason: `is required${unless}`,
  source: nowhere
})

const common = (kind: Kind<unknown>, facts: Facts) => ({
  name: facts.name,
  aliases: facts.aliases ?? [],
  group: facts.group,
  kind,
  secret: facts.secret ?? false,
  stored: facts.stored ?? true,
  description: facts.description
})

const parse = <A>(kind: Kind<A>, facts: Facts, { text, source }: Found): Either.Either<A, Mistake> =>
  Either.mapLeft(
    Either.filterOrLeft(
      kind.parse(text),
      () => facts.secret === true || !SecretShape.isSecret(text),
      () => "is a secret, and this setting is shown to people: it was meant for another one"
    ),
    (reason) => concealed({ variable: facts.name, value: facts.secret === true ? null : text, reason, source })
  )

// --- Kinds ---

export const text: Kind<string> = { label: "text", parse: Either.right }

/** Shown nowhere: neither in logs nor in mistakes. `facts.secret` must say so too. */
export const secret: Kind<Redacted.Redacted> = {
  label: "secret text",
  parse: (value) => Either.right(Redacted.make(value))
}

export const matching = (label: string, pattern: RegExp): Kind<string> => ({
  label,
  parse: (value) => (pattern.test(value) ? Either.right(value) : Either.left(`is not valid: expected ${label}`))
})

export const integer = (min: number, max: number): Kind<number> => {
  const label = `whole number, ${min} to ${max}`
  return {
    label,
    parse: (value) => {
      if (!/^[+-]?\d{1,15}$/.test(value)) return Either.left(`is not a whole number: expected ${min} to ${max}`)
      const number = Number(value)
      return number < min || number > max
        ? Either.left(`is out of range: expected ${min} to ${max}`)
        : Either.right(number)
    }
  }
}

export const seconds = (min: number, max: number): Kind<Duration.Duration> => {
  const number = integer(min, max)
  return {
    label: `seconds, ${min} to ${max}`,
    parse: (value) => Either.map(number.parse(value), Duration.seconds)
  }
}

/** Whole days; 0 is no time at all. */
export const days = (min: number, max: number): Kind<Duration.Duration> => {
  const number = integer(min, max)
  return {
    label: `days, ${min} to ${max}`,
    parse: (value) => Either.map(number.parse(value), Duration.days)
  }
}

export const flag: Kind<boolean> = {
  label: "true or false",
  parse: (value) =>
    /^(?:true|1|yes|on)$/i.test(value)
      ? Either.right(true)
      : /^(?:false|0|no|off)$/i.test(value)
        ? Either.right(false)
        : Either.left("is neither true nor false")
}

/** One of some words in any case; each stands for a value, and several may stand for the same. */
export const choice = <A>(words: Readonly<Record<string, A>>, shown: ReadonlyArray<string>): Kind<A> => {
  const values = new Map(Object.entries(words))
  return {
    label: shown.join(", "),
    parse: (value) => {
      const chosen = values.get(value.toLowerCase())
      return chosen === undefined ? Either.left(`is none of ${shown.join(", ")}`) : Either.right(chosen)
    }
  }
}

/** Texts with commas between them; blanks around them do not count. */
export const list = (item: Kind<string>): Kind<ReadonlyArray<string>> => ({
  label: `comma-separated list: ${item.label}`,
  parse: (value) =>
    Either.all(
      value
        .split(",")
        .map((part) => part.trim())
        .filter((part) => part !== "")
        .map((part) =>
          Either.mapLeft(item.parse(part), (reason) => `holds ${SecretShape.shown(part)}, which ${reason}`)
        )
    )
})

/** An absolute http(s) address without query, user and password. */
export const address = (label: string): Kind<string> => ({
  label,
  parse: (value) => {
    if (!URL.canParse(value)) return Either.left("is not an address: expected https://…")
    const url = new URL(value)
    if (url.protocol !== "https:" && url.protocol !== "http:") return Either.left("must begin with https://")
    return url.search === "" && url.username === "" && url.hash === ""
      ? Either.right(value)
      : Either.left("must not carry a query, a fragment or a user")
  }
})

/** The same for a server whose answers are trusted: HTTPS, or this machine, so that they can't be changed on the way. */
export const trustedAddress = (label: string): Kind<string> => ({
  label,
  parse: (value) =>
    Either.filterOrLeft(
      address(label).parse(value),
      (text) => /^https:/i.test(text) || Loopback.isLoopback(new URL(text).hostname),
      () => "must begin with https://, except for a server on this machine"
    )
})
