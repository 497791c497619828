import * as Either from "effect/Either"
import * as Condition from "../../src/condition/Condition.ts"

/** How many conditions were tried, and what became of them. */
export interface Report {
  readonly tried: number
  readonly refused: number
  readonly failed: number
  readonly evaluated: number
}

/** A condition that broke a promise, with the seed and the number of the try, to repeat it. */
export class FuzzFailure extends Error {
  readonly condition: string

  constructor(condition: string, seed: number, count: number, problem: string) {
    super(`${problem}: ${JSON.stringify(condition)} (seed ${seed}, try ${count})`)
    this.condition = condition
  }
}

/**
 * Parses and evaluates random and mutated conditions, and fails with the first that throws, whose error has an offset
 * outside of the text, or whose printed form is not read as the same condition. The same seed gives the same tries.
 */
export const fuzz = (seed: number, iterations: number): Report => {
  const random = mulberry32(seed)
  const report = { tried: 0, refused: 0, failed: 0, evaluated: 0 }
  for (let count = 1; count <= iterations; count++) {
    const text = random() < 0.5 ? mutate(sentence(random), random) : random() < 0.7 ? sentence(random) : noise(random)
    const fail = (problem: string) => new FuzzFailure(text, seed, count, problem)
    report.tried += 1
    try {
      const condition = Condition.parse(text)
      if (Either.isLeft(condition)) {
        report.refused += 1
        const { message, offset } = condition.left
        if (offset > text.length || message === "") throw fail("The error names no place")
        continue
      }
      const result = Condition.evaluate(condition.right, item)
      if (Either.isLeft(result)) report.failed += 1
      else report.evaluated += 1
      checkPrinted(condition.right, result, fail)
    } catch (cause) {
      throw cause instanceof FuzzFailure ? cause : fail(`It threw ${String(cause)}`)
    }
  }
  return report
}

const checkPrinted = (
  condition: Condition.Condition,
  result: ReturnType<typeof Condition.evaluate>,
  fail: (problem: string) => FuzzFailure
): void => {
  const printed = Condition.print(condition)
  // An escape beside quotes of both kinds, and what looks like a comparison behind them, is beyond what quotes can hold.
  if (printed.includes("\\")) return
  const again = Condition.parse(printed)
  if (Either.isLeft(again)) throw fail(`Its printed form ${printed} is refused, ${again.left.message}`)
  if (Condition.print(again.right) !== printed) throw fail(`Its printed form ${printed} is read in another way`)
  const second = Condition.evaluate(again.right, item)
  const same = Either.isLeft(result) ? Either.isLeft(second) : Either.isRight(second) && second.right === result.right
  if (!same) throw fail(`Its printed form ${printed} has another value`)
}

const item = {
  id: { canonical_id: "c/1", filename: "inv.pdf", metadata: { "my key": "v", size: 10 } },
  summary_data: { ok: true },
  data: { a: 1, b: "it's", c: ["x", 1, [2]], d: { k: null }, e: "", f: "über straße and so on", g: 2.5 },
  executor_logs: []
}

type Random = () => number

const mulberry32 = (seed: number): Random => {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

const pick = <A>(random: Random, choices: ReadonlyArray<A> & { readonly 0: A }): A =>
  choices[Math.floor(random() * choices.length)] ?? choices[0]

const fields = [
  "data.a",
  "data.b",
  "data.c[0]",
  "data.c[-1]",
  "data.d['k']",
  "data.e",
  "data.f",
  "id.filename",
  "nope.x",
  "data.min_in"
] as const
const operators = [
  "==",
  "!=",
  "<",
  ">=",
  "contains",
  "not_contains",
  "in",
  "not_in",
  "starts_with",
  "ends_with",
  "regex_match",
  "===",
  "="
] as const
const literals = [
  "1",
  "-2.5",
  "1e3",
  "'x'",
  "'it's'",
  '"a b"',
  "bare words",
  "[1, 'x', [2]]",
  "[a,]",
  "null",
  "true",
  "",
  "'a and b'",
  "'\\w+$'",
  "'(?i)\\bÜ'",
  "(x)",
  "'C:\\'",
  "'x",
  "[1"
] as const
const joiners = [" and ", " or ", " AND ", "\tor\n", " && ", " || "] as const
const pieces = [
  "(",
  ")",
  "[",
  "]",
  "'",
  '"',
  ".",
  ",",
  " ",
  "\\",
  "=",
  "<",
  "!",
  "&",
  "|",
  "and",
  "or",
  "not ",
  "in",
  "é",
  "😀",
  "\u2028",
  "\0",
  "1",
  "a"
] as const

const comparison = (random: Random): string => {
  const field = pick(random, fields)
  if (random() < 0.15) return random() < 0.5 ? `${field} is_empty` : `is_not_empty ${field}`
  return `${field} ${pick(random, operators)} ${pick(random, literals)}`
}

const sentence = (random: Random, depth = 0): string => {
  let text = random() < 0.3 && depth < 4 ? `(${sentence(random, depth + 1)})` : comparison(random)
  if (random() < 0.15) text = `not ${text}`
  while (random() < 0.35)
    text +=
      pick(random, joiners) + (random() < 0.2 && depth < 4 ? `(${sentence(random, depth + 1)})` : comparison(random))
  return text
}

const mutate = (text: string, random: Random): string => {
  let mutated = text
  for (let count = Math.ceil(random() * 4); count > 0; count--) {
    const at = Math.floor(random() * (mutated.length + 1))
    const removed = random() < 0.6 ? Math.floor(random() * 4) : 0
    mutated = mutated.slice(0, at) + (random() < 0.6 ? pick(random, pieces) : "") + mutated.slice(at + removed)
  }
  return mutated
}

const noise = (random: Random): string => {
  let text = random() < 0.5 ? "data.a == " : ""
  const few = [pick(random, pieces), pick(random, pieces), pick(random, pieces)] as const
  for (let count = Math.floor(random() * 200); count > 0; count--) text += pick(random, few)
  return text
}
