import * as Either from "effect/Either"
import * as ExactJson from "../../src/domain/ExactJson.ts"
import { locate, parse, toPlain } from "../../src/yaml/Yaml.ts"

export interface FuzzReport {
  readonly read: number
  readonly refused: number
}

/** Numbers from 0 to 1 that depend on the seed alone (mulberry32). */
export const randomOf = (seed: number) => {
  let state = seed >>> 0
  return (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const documents = [
  "pipeline:\n  name: p\n  executors:\n    - id: a\n      type: pass_through\n      position: {x: 1, 'y': 2}\n  edges: []\n",
  'a: &x {k: 1, "l": [yes, ~, 012]}\nb:\n  <<: *x\n  k: 2\n? c\n: >-\n  folded\n   text\n\n  end\n',
  "- |+\n  keep\n\n- 'it''s'\n- \"a\\u00e9\\\n  b\"\n- !!set {a, b}\n- !!omap [a: 1]\n- !!binary aGk=\n- 2024-01-01T10:00:00.5-05:30\n",
  "%YAML 1.1\n%TAG !e! tag:yaml.org,2002:\n---\n!e!str 12\n...\n",
  "a: [1, {b: [c, d: e]}, 12:30, 1.5e+3, .inf]\n\nmulti: plain\n  text\n# comment\n"
]

const fragments = [
  ...Array.from("\n\t\r :-?,[]{}#&*!|>'\"%@`=~<\\\0\u0085\u2028\uFEFF\uD800😀é"),
  "\n  ",
  "\n    - ",
  ": ",
  "- ",
  "? ",
  "&x ",
  "*x",
  "<<: *x\n",
  "!!int ",
  "!!set ",
  "!x ",
  "|2-\n",
  "---\n",
  "...\n",
  "\\u00",
  "1:30",
  "2024-02-30",
  "[".repeat(100),
  "- ".repeat(100),
  "9".repeat(5000)
]

/**
 * Reads `iterations` documents, random or made from good ones, and throws unless each gives a value that can be used
 * or problems with places inside the text.
 */
export const fuzz = ({ iterations, seed }: { readonly seed: number; readonly iterations: number }): FuzzReport => {
  const random = randomOf(seed)
  const below = (limit: number): number => Math.floor(random() * limit)
  const fragment = (): string => fragments[below(fragments.length)] ?? ""

  const make = (): string => {
    if (random() < 0.3) return Array.from({ length: below(20) }, fragment).join("")
    let text = documents[below(documents.length)] ?? ""
    for (let changes = 1 + below(4); changes > 0; changes--) {
      const from = below(text.length + 1)
      const to = from + below(6)
      const repeated = random() < 0.2 ? text.slice(to, to + below(30)) : fragment()
      text = text.slice(0, from) + repeated + text.slice(random() < 0.5 ? from : to)
    }
    return text
  }

  let read = 0
  for (let i = 0; i < iterations; i++) {
    const text = make()
    try {
      if (check(text)) read++
    } catch (cause) {
      throw new Error(`seed ${seed}, document ${i}: ${JSON.stringify(text)}`, { cause })
    }
  }
  return { read, refused: iterations - read }
}

/** Whether the text could be read; throws on a result that breaks a promise. */
const check = (text: string): boolean => {
  const result = parse(text)
  if (Either.isRight(result)) {
    const plain = toPlain(result.right.value)
    ExactJson.stringify(plain)
    locate(result.right, ["pipeline", "executors", 0, "id"])
    return true
  }
  const lines = text.split(/\r\n|[\r\n\u0085\u2028\u2029]/)
  for (const { column, line, message } of result.left.problems) {
    const length = lines[line - 1]?.length
    // One place behind the last character belongs to the text.
    if (length === undefined || line < 1 || column < 1 || column > length + 1 || message === "") {
      throw new Error(`no such place: line ${line}, column ${column}: ${message}`)
    }
  }
  return false
}
