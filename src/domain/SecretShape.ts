import { redact } from "./Redaction.ts"

/**
 * Whether a text can be shown though its meaning is unknown: a word, a number, a plain name or an address. A wrong setting is often the
 * neighbour's secret, so what could be a key, a password or a connection string is not harmless.
 */
export const isHarmless = (text: string): boolean =>
  text.length <= 120 &&
  redact(text) === text &&
  !isPem(text) &&
  /^[\p{L}\p{N}_.,:/ *+-]*$/u.test(text) &&
  // After a colon only an address or a port: `name:password` is no name.
  /^(?:[^:]|:(?=\/\/|\d{1,5}(?:[/, ]|$)))*$/.test(text) &&
  // `API_KEY hunter2` is an assignment that lost its sign.
  !/\b[A-Z][A-Z0-9]*_[A-Z0-9_]+ /.test(text) &&
  (isNumber.test(text) || text.split(/[-_.,:/ *+]+/).every(isWord))

/** Whether a text is a secret for sure, whatever it is used for. */
export const isSecret = (text: string): boolean =>
  redact(text) !== text ||
  isKey(text) ||
  isPem(text) ||
  /(?:^|[;?&\s])(?:\w*(?:key|secret|password|pwd|token|signature)|sig)=/i.test(text)

/** What a text looks like, without any part of it: `a text of 88 characters that looks like a key`. */
export const describe = (text: string): string => {
  const shape = shapes.find(([matches]) => matches(text))?.[1]
  return `a text of ${text.length} characters${shape === undefined ? "" : ` that looks like ${shape}`}`
}

/** The text in quotes, or what it looks like. */
export const shown = (text: string): string => (isHarmless(text) ? JSON.stringify(text) : `(${describe(text)})`)

const isNumber = /^[+-]?\d{1,20}(?:\.\d{1,20})?(?:e[+-]?\d{1,3})?$/i

/** Passwords and keys mix letters and digits, or have no vowels, or change case all the time. */
const isWord = (word: string): boolean =>
  word.length <= 4 ||
  /^\d{1,20}$/.test(word) ||
  /^\d{1,6}\p{L}{1,8}$/u.test(word) ||
  (/^\p{L}{1,24}\d{0,6}$/u.test(word) &&
    count(word, /\p{Ll}\p{Lu}/gu) <= 3 &&
    !/[bcdfghjklmnpqrstvwxz]{7}/i.test(word) &&
    !(word.length >= 12 && /^[0-9a-f]+$/i.test(word)))

/** A key as services make them, base64 or hexadecimal: long, and digits, small and large letters change places all the time. */
const isKey = (text: string): boolean =>
  /^[A-Za-z0-9+/_-]{20,}==?$/.test(text) ||
  (/^[A-Za-z0-9+/_-]{40,}$/.test(text) && count(text, /\d[A-Za-z]/g) >= 2 && count(text, /[a-z][A-Z]/g) >= 3)

const isPem = (text: string): boolean => text.includes("PRIVATE KEY-----")

const count = (text: string, pattern: RegExp): number => text.match(pattern)?.length ?? 0

const shapes: ReadonlyArray<readonly [(text: string) => boolean, string]> = [
  [(text) => /^\w+=[^;]*;\s*\w+=/.test(text), "a connection string"],
  [(text) => /:\/\/[^/]*@/.test(text), "an address with a user or a password"],
  [(text) => /[?&]sig=/i.test(text), "an address with a signature"],
  [(text) => /^(?:bearer\s|basic\s|eyJ)/i.test(text), "a token"],
  [(text) => isKey(text) || isPem(text) || /^[0-9a-f]{24,}$/i.test(text), "a key"],
  [(text) => /^\w+\s*[=:]/.test(text) && !/^\w+:\/\//.test(text), "an assignment"]
]
