import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as Condition from "../../src/condition/Condition.ts"
import * as GoldenFiles from "../support/GoldenFiles.ts"

interface Vector {
  readonly id: string
  readonly expression: string
  readonly input: Readonly<Record<string, unknown>>
  readonly output?: boolean
  readonly error?: { readonly kind: "parse" | "evaluation" }
  readonly defects?: ReadonlyArray<string>
}

const vectors: ReadonlyArray<Vector> = GoldenFiles.lines("conditions.jsonl").map((line) => JSON.parse(line) as Vector)

const outcome = (expression: string, input: Vector["input"]): boolean | "parse" | "evaluation" => {
  const condition = Condition.parse(expression)
  if (Either.isLeft(condition)) return "parse"
  return Either.getOrElse(Condition.evaluate(condition.right, input), () => "evaluation" as const)
}

const withDefect = (name: string) => vectors.filter(({ defects }) => defects?.includes(name))

/** Refused by the original for what this language adds on purpose: `not`, and indices from the end. */
const isAddition = ({ error, expression }: Vector) => error?.kind === "parse" && /^not[ (]|\[-\d+\]/.test(expression)

/** Outcomes by hand for vectors where the original misbehaves. */
const byHand: Readonly<
  Record<string, ReadonlyArray<readonly [expression: string, expected: boolean | "parse" | "evaluation"]>>
> = {
  "operator-word-inside-text": [
    ["data.invoice_total > 5", true],
    ["data.min_score > 0.3", true],
    ["id.metadata['a.b'] == 1", true],
    ["data.type != 'starts_with'", true],
    ["data.type == 'is_empty'", false],
    ["data.not_in_use != 'None'", true],
    ["data.is_empty_flag in  'abc invoice'", "evaluation"]
  ],
  "and-or-inside-quotes": [["data.text == 'Hello or Goodbye'", false]],
  "parenthesised-group": [
    ["(data.n == 4 or data.n == 5) and data.type == 'invoice'", true],
    ["((data.n == 5))", true],
    ["(data.n == 5 and data.type == 'invoice')", true],
    ["data.type == 'a' or (data.n == 5 and data.s5 == '5')", true]
  ],
  "null-literal-unusable": [
    ["data.none != null", false],
    ["data.none == null", true],
    ["data.none ==null", true],
    // Null has no order, so these stay errors.
    ["data.s5 < null", "parse"],
    ["data.type.sub == '' or data.nums[1] > null", "parse"]
  ],
  "null-read-as-text": [
    ["data.nope starts_with 'No'", false],
    ["data.nope regex_match 'None'", false],
    ["data.tags.x regex_match '.'", false],
    ["executor_logs[0].status ends_with ''", false],
    // A pattern that can't be compiled is refused before any item is looked at.
    ["summary_data.training_score regex_match  '('", "parse"]
  ],
  "no-short-circuit": [
    ["data.type == 'x' and data.nums\t== 'None' and data.chunks[1].n>'x'", false],
    ['data.meta.deep.level.value == 0 or data.tags.x not_contains "x"', true],
    ["data.link!=[]  or data.status regex_match  '('", "parse"]
  ],
  "odd-operator-read-as-text": [
    ["data.n == 5 && data.n == 5", true],
    ["data.type == 'a' || data.type == 'invoice'", true]
  ],
  "or-binds-tighter-than-and": [["data.n == 5 or data.n == 4 and data.n == 4", false]]
}

describe("golden conditions", () => {
  it("what is no defect of the original has the same outcome", () => {
    const sound = vectors.filter((vector) => vector.defects === undefined && !isAddition(vector))
    assert.isAbove(sound.length, 90)
    for (const { error, expression, id, input, output } of sound) {
      const actual = outcome(expression, input)
      if (error?.kind === "evaluation") {
        // An error that every item would cause is found earlier here.
        assert.isString(actual, `${id}: ${expression}`)
      } else {
        assert.strictEqual(actual, error === undefined ? output : "parse", `${id}: ${expression}`)
      }
    }
  })

  it("a value that the original computes is kept, unless it comes from null read as text or an odd operator", () => {
    for (const { defects, expression, id, input, output } of vectors) {
      if (defects === undefined || output === undefined) continue
      if (defects.some((name) => name === "null-read-as-text" || name === "odd-operator-read-as-text")) continue
      assert.strictEqual(outcome(expression, input), output, `${id}: ${expression}`)
    }
  })

  it("null-read-as-text: a value that is not there starts with, ends with and matches nothing", () => {
    for (const { expression, id, input } of withDefect("null-read-as-text")) {
      if (/\s(?:and|or)\s/i.test(expression) || expression.includes("'('")) continue
      assert.strictEqual(outcome(expression, input), false, `${id}: ${expression}`)
    }
  })

  it("or-binds-tighter-than-and: kept, with a warning that says how the chain is read", () => {
    for (const { expression, id, input, output } of withDefect("or-binds-tighter-than-and")) {
      const condition = Either.getOrThrow(Condition.parse(expression))
      assert.match(condition.warnings.map(({ message }) => message).join(), /`or` binds tighter/, id)
      assert.deepStrictEqual(Condition.evaluate(condition, input), Either.right(output ?? false), id)
      assert.deepStrictEqual(
        Condition.evaluate(Either.getOrThrow(Condition.parse(Condition.print(condition))), input),
        Either.right(output ?? false),
        id
      )
    }
  })

  it("odd-operator-read-as-text: read as the word that is meant", () => {
    for (const { expression, id, input } of withDefect("odd-operator-read-as-text")) {
      const meant = expression.replaceAll("&&", "and").replaceAll("||", "or").replaceAll("===", "==")
      assert.strictEqual(outcome(expression, input), outcome(meant, input), id)
    }
  })

  it("null-literal-unusable: `== null` is is_empty for what is no text and no list", () => {
    const single = /^\(?\s*([\w.[\]'" -]+?)\s*(==|!=)\s*null\s*\)?$/
    for (const { expression, id, input } of withDefect("null-literal-unusable")) {
      const [, path, operator] = single.exec(expression) ?? []
      if (path === undefined) continue
      const isNull = outcome(`${path} is_empty and ${path} != '' and ${path} != []`, input)
      assert.strictEqual(outcome(expression, input), operator === "==" ? isNull : !isNull, id)
    }
  })

  for (const [defect, rows] of Object.entries(byHand)) {
    describe(defect, () => {
      for (const [expression, expected] of rows) {
        const vector = withDefect(defect).find((vector) => vector.expression === expression)
        it.skipIf(vector === undefined)(`${expression} → ${expected}`, () => {
          assert.strictEqual(outcome(expression, vector?.input ?? {}), expected)
        })
      }
    })
  }
})
