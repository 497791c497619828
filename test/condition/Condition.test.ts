import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as Condition from "../../src/condition/Condition.ts"
import * as Limits from "../../src/condition/Limits.ts"
import * as ExactJson from "../../src/domain/ExactJson.ts"

/** The item that the examples of conditions look into. */
const item = {
  id: {
    canonical_id: "c/1",
    filename: "inv.pdf",
    metadata: { content_type: "application/pdf", "my key": "v", "a.b": 1 }
  },
  summary_data: { ok: true },
  data: {
    type: "invoice",
    amount: 120.5,
    n: 5,
    s5: "5",
    tags: ["a", "b"],
    empty: "",
    elist: [],
    edict: {},
    zero: 0,
    none: null,
    text: "Hello and Goodbye",
    chunks: [
      { text: "x", n: 1 },
      { text: "y", n: 2 }
    ],
    nest: [[1, 2], [3]],
    invoice_total: 10,
    min_score: 0.4,
    title: "it's",
    contains_pii: true,
    kind: "link",
    path: "C:\\in\\",
    code: "1e2",
    hundred: 100,
    quoted: "say 'x' and (go)",
    words: "rock and roll or jazz",
    m: { "0": "zero" }
  },
  executor_logs: []
}

type Outcome = boolean | "parse error" | "evaluation error"

const outcome = (text: string, value: Readonly<Record<string, unknown>> = item): Outcome => {
  const condition = Condition.parse(text)
  if (Either.isLeft(condition)) return "parse error"
  return Either.getOrElse(Condition.evaluate(condition.right, value), () => "evaluation error" as const)
}

const parsed = (text: string): Condition.Condition => Either.getOrThrow(Condition.parse(text))

const parseError = (text: string): Condition.ConditionParseError => {
  const condition = Condition.parse(text)
  assert(Either.isLeft(condition), `${text} was accepted`)
  return condition.left
}

const evaluationError = (text: string, value: Readonly<Record<string, unknown>> = item) => {
  const result = Condition.evaluate(parsed(text), value)
  assert(Either.isLeft(result), `${text} was evaluated`)
  return result.left
}

const warnings = (text: string) => parsed(text).warnings.map(({ message, offset }) => `${offset}: ${message}`)

const repeated = (count: number, text: string) => Array.from({ length: count }, () => text)

const ofLength = (length: number) => `data.a == '${"x".repeat(length - 12)}'`

const groups = (depth: number) => `${"(".repeat(depth)}data.a == 1${")".repeat(depth)}`

const match = (pattern: string) => `data.a regex_match '${pattern}'`

const table = (name: string, rows: Readonly<Record<string, Outcome>>): void => {
  describe(name, () => {
    for (const [text, expected] of Object.entries(rows)) {
      it(`${text} → ${expected}`, () => assert.strictEqual(outcome(text), expected))
    }
  })
}

table("examples of the reference that the original evaluates", {
  "data.type == 'invoice'": true,
  'data.type == "invoice"': true,
  "data.type == invoice": true,
  "data.type=='invoice'": true,
  "data.type != 'invoice'": false,
  "data.n > 3": true,
  "data.n >= 5": true,
  "data.n == 5.0": true,
  "data.s5 == 5": false,
  "data.s5 > '3'": true,
  "data.amount > .5": true,
  "data.amount > 1_00": true,
  "data.amount > -5": true,
  "summary_data.ok == true": true,
  "summary_data.ok == 1": true,
  "summary_data.ok > 0": true,
  "data.zero == false": true,
  "data.empty ==": true,
  "data.tags == ['a','b']": true,
  "data.tags == ['b','a']": false,
  "data.missing == 'x'": false,
  "data.missing != 'x'": true,
  "data.none is_empty": true,
  "data.empty is_empty": true,
  "data.elist is_empty": true,
  "data.nope is_empty": true,
  "executor_logs is_empty": true,
  "data.edict is_empty": false,
  "data.zero is_empty": false,
  "data.nope is_not_empty": false,
  "is_empty data.nope": true,
  "data.tags contains 'a'": true,
  "data.tags not_contains 'z'": true,
  "data.m contains '0'": true,
  "data.text contains 'good'": false,
  "data.type in ['invoice','receipt']": true,
  "data.type in [invoice, receipt]": true,
  "data.n in [1,5]": true,
  "data.type in 'my invoice list'": true,
  "data.type starts_with 'inv'": true,
  "data.n starts_with 5": true,
  "id.filename ends_with '.pdf'": true,
  "data.type regex_match '^inv.*'": true,
  "data.type regex_match ^inv": true,
  "data.type regex_match [a-z]+": true,
  "data.n == 5 and data.type == 'invoice'": true,
  "data.n == 5 AND data.type == 'x'": false,
  "data.n == 4 or data.type == 'invoice'": true,
  "(data.n == 5) and (data.type == 'invoice')": true,
  "data.chunks[0].text == 'x'": true,
  "data.m[0] == 'zero'": true,
  "id.metadata['my key'] == 'v'": true,
  "data.chunks[5].text == 'x'": false,
  "data.tags['0'] == 'a'": false,
  'id.metadata.content_type != "application/pdf"': false,
  "metadata['type'] == \"invoice\"": false,
  "data.invoice_total >= 5": true,
  "data.kind == 'link'": true,
  "data.title == 'it's'": true
})

table("examples of the reference that the original refuses or fails, and still do", {
  "data.s5 > 3": "evaluation error",
  "data.nope > 3": "evaluation error",
  "data.missing > 3": "evaluation error",
  "data.s5 contains 5": "evaluation error",
  "data.nope contains 'x'": "evaluation error",
  "data.n contains 5": "evaluation error",
  "data.n in 5": "parse error",
  "data.type regex_match [a-z]": "parse error",
  "data.type regex_match '('": "parse error",
  "data.type regex_match 5": "parse error",
  "data.tags not contains 'z'": "parse error",
  "data.type not in ['a']": "parse error",
  "'a' in data.tags": "parse error",
  "data.chunks.0.text == 'x'": "parse error",
  "data.nest[1][0] == 3": "parse error",
  "document.metadata.get('file_type') == 'pdf'": "parse error",
  "data.n == 5;": "parse error",
  "data.x == 'open('": "parse error",
  "data.__class__ == 'x'": "parse error",
  "data.n = 5": "parse error",
  "data.n": "parse error",
  true: "parse error",
  default: "parse error",
  "1 == 1": "parse error",
  "data..n == 5": "parse error",
  "data.a.b.c.d.e.f.g.h.i.j == 1": "parse error",
  "": "parse error",
  "  \n": "parse error"
})

table("examples of the reference that have a meaning here", {
  "data.amount > 1e2": true,
  "data.missing == null": true,
  "data.missing != null": false,
  "data.type == null": false,
  "data.type != None": true,
  "not data.n == 5": false,
  "(data.n == 4 or data.n == 5) and data.type == 'invoice'": true,
  "((data.n == 5))": true,
  "data.text == 'Hello and Goodbye'": true,
  "data.chunks[-1].text == 'y'": true,
  "data.chunks[-3].text == 'y'": false,
  "id.metadata['a.b'] == 1": true,
  "data.invoice_total > 5": true,
  "data.contains_pii == true": true,
  "data.min_score > 0.3": true,
  "data.nope starts_with 'No'": false,
  "data.nope regex_match 'None'": false,
  "data.n == 5 && data.n == 5": true,
  "data.n === 5": true,
  "data.type == 'x' and data.nope > 3": false,
  "data.type == 'invoice' or data.nope > 3": true
})

table("and, or, not and parentheses", {
  // The one exception: without groups, `or` binds tighter, since stored pipelines rely on it.
  "data.n == 5 or data.n == 4 and data.n == 4": false,
  "(data.n == 5) or (data.n == 4) and (data.n == 4)": false,
  "data.n == 5 or (data.n == 4 and data.n == 4)": true,
  "(data.n == 5 or data.n == 4) and data.n == 4": false,
  // With a group, which the original refuses, `and` binds tighter.
  "data.n == 5 or data.n == 4 and (data.n == 4 or data.n == 3)": true,
  "not (data.n == 4 or data.n == 3)": true,
  "not (data.n == 5) or data.type == 'invoice'": true,
  "not not data.n == 5": true,
  "NOT data.tags is_empty And not data.n == 4": true,
  "data.n == 5 and(data.type == 'x' or data.type == 'invoice')": true,
  "(data.n == 5)and(data.n == 5)": true,
  "data.n == 4 || data.type == 'invoice'": true,
  "not == 5": false,
  "data.n == 5 and": false,
  "data.n == 5 | data.n == 4": false,
  "data.type == R && D": false,
  "data.n == 5 & data.n == 5": "parse error",
  "data.n == 5&data.n == 5": "parse error",
  "data.type == 'invoice' & data.kind == 'link'": "parse error",
  "(data.n == 5) & (data.n == 5)": "parse error",
  "data.n == 5 & data.tags is_empty": "parse error",
  "data.type == R & D": "parse error",
  "data.type in [R & D, invoice]": "parse error",
  "data.n == &": "parse error",
  "data.n & 4": "parse error",
  "data.type == AT&T": false,
  "data.type in ['R & D', invoice]": true,
  "data.type != 'R & D'": true,
  "(data.kind regex_match ^(l|x)ink) and (data.n == 5 or data.n == 4)": true,
  "(data.kind != (link)) and data.n == 5": true
})

table("quotes and escapes", {
  "data.title == 'it\\'s'": true,
  'data.title == "it\'s"': true,
  "data.quoted == 'say \\'x\\' and (go)'": true,
  "(data.quoted == 'say \\'x\\' and (go)') and (data.n == 5 or data.n == 4)": true,
  "data.title in ['it\\'s', 'b']": true,
  "data.title in ['it's', 'b']": true,
  "data.words == 'rock and roll or jazz'": true,
  "data.words contains ' and ' and data.words contains ' or '": true,
  "data.words contains 'x) and (y' or data.n == 5": true,
  "data.path == 'C:\\in\\'": true,
  "data.path == 'C:\\in\\' and data.n == 5": true,
  "(data.path == 'C:\\in\\') and (data.n == 5 or data.n == 4)": true,
  "data.path in ['C:\\', 'C:\\in\\']": true,
  "data.path starts_with 'C:\\in'": true,
  "data.type in [\"a, b\", 'invoice']": true,
  "data.nest == [[1, 2], [3]]": true,
  "data.nest contains [3]": true,
  "data.nest.[1].[0] == 3": true,
  "data.nest[1].[0] == 3": true,
  "['data'].n == 5": true,
  "data.type == 'invoice": false,
  "data.type == 'invoice' x": false
})

table("values", {
  "data.hundred == 1e2": true,
  "data.hundred in [1e2, 'x']": true,
  "data.code == 1e2": true,
  "data.code starts_with 1e": true,
  "data.n == ٥": true,
  "data.n == +05": true,
  "data.n starts_with 5.0": false,
  "data.amount starts_with 120.50": true,
  "data.amount ends_with .5": true,
  "summary_data.ok starts_with 'Tr'": true,
  "data.tags starts_with \"['a', \"": true,
  "data.edict ends_with '{}'": true,
  "data.tags < ['a', 'c']": true,
  "data.tags > ['a']": true,
  "data.tags < ['a', 'b', 'c']": true,
  "data.tags > [1]": "evaluation error",
  "data.tags in [['a','b']]": true,
  "data.none in [null, 1]": true,
  "data.type == 'null'": false,
  "data.nope < null": "parse error",
  "data.m contains ['0']": "evaluation error",
  "data.m contains 0": false,
  "data.m contains 'constructor'": false,
  "data.constructor is_empty": true,
  "data.tags.length is_empty": true
})

describe("texts are ordered by code point", () => {
  it("as in Python, not by UTF-16 unit", () => {
    assert.strictEqual(outcome("data.a < '😀'", { data: { a: "\uff5e" } }), true)
    assert.strictEqual(outcome("data.a > '\uff5e'", { data: { a: "😀" } }), true)
  })
})

describe("parse errors", () => {
  const cases: Readonly<Record<string, readonly [offset: number, message: RegExp]>> = {
    "data.n = 5": [7, /write ==/],
    "data.n == 5 and data.n <> 4": [23, /write !=/],
    "data.type CONTAINS 'x'": [10, /write contains/],
    "data.tags not contains 'z'": [10, /not_contains/],
    "data.n": [6, /data\.n == true/],
    "5 == data.n": [0, /data\.n == 5/],
    "(data.n == 5": [0, /never closed/],
    "(data.n == 5))": [13, /closes nothing/],
    "data.chunks.0.text == 'x'": [12, /data\.chunks\[0\]/],
    "data.nest[1][0] == 3": [12, /data\.nest\[1\]\.\[0\]/],
    "data.chunks[x] == 3": [11, /chunks\[0\]/],
    "data.chunks['x == 3": [11, /not closed/],
    "data.über == 1": [5, /quoted key/],
    "data.n is_empty 5": [16, /`and`, `or`/],
    "data.n is_empty or": [16, /comparison behind `or`/],
    "data.n == 5 and (": [17, /Expected a comparison/],
    "()": [1, /before this `\)`/],
    "data.n > null": [7, /== null or is_empty/],
    "data.n in true": [10, /needs a list/],
    "data.x == 'a;b'": [12, /`;` is not allowed/],
    "data.x == 'dir('": [11, /`dir\(` is not allowed/],
    "": [0, /cannot be empty/]
  }
  for (const [text, [offset, message]] of Object.entries(cases)) {
    it(`${JSON.stringify(text)} at ${offset}`, () => {
      const error = parseError(text)
      assert.strictEqual(error.offset, offset)
      assert.match(error.message, message)
      assert.strictEqual(error.expression, text)
    })
  }

  it("a closing parenthesis that closes nothing belongs to an unquoted text, as in the original", () => {
    assert.strictEqual(outcome("data.n == 5)"), false)
  })
})

describe("evaluation errors", () => {
  it("name the item, the path, the operator and both types", () => {
    const error = evaluationError("data.n == 4 or data.chunks[0].n > 'x'")
    assert.strictEqual(error.item, "c/1")
    assert.strictEqual(error.path, "data.chunks[0].n")
    assert.strictEqual(error.operator, ">")
    assert.strictEqual(error.fieldType, "number")
    assert.strictEqual(error.literalType, "text")
    assert.strictEqual(
      error.message,
      "The condition `data.n == 4 or data.chunks[0].n > 'x'` cannot be evaluated for item \"c/1\": `data.chunks[0].n` is a number and `>` compares it with a text, but only two numbers, two texts or two lists have an order"
    )
  })

  it("say so when the item has no id", () => {
    const error = evaluationError("data.x contains 'x'", { data: {} })
    assert.strictEqual(error.item, null)
    assert.strictEqual(error.fieldType, "null")
    assert.match(error.message, /an item without a canonical_id/)
  })
})

describe("warnings", () => {
  it("a mixed chain says how it is read", () => {
    const [warning, ...others] = warnings("data.a == 1 or data.b == 2 and data.c == 3")
    assert.deepStrictEqual(others, [])
    assert.match(warning ?? "", /^0: .*`or` binds tighter.*`\(\(data\.a == 1 or data\.b == 2\) and data\.c == 3\)`/)
    assert.match(
      warnings("data.a == 1 or data.b == 2 and (data.c == 3 or data.d == 4)")[0] ?? "",
      /`and` binds tighter.*`\(data\.a == 1 or \(data\.b == 2 and \(data\.c == 3 or data\.d == 4\)\)\)`/
    )
  })

  it("what is plain has none", () => {
    for (const text of [
      "data.a == 1 and data.b == 2",
      "(data.a == 1 or data.b == 2) and data.c in [a, b]",
      "data.a regex_match ^(a|b)$"
    ]) {
      assert.deepStrictEqual(warnings(text), [])
    }
  })

  const suspicious: Readonly<Record<string, RegExp>> = {
    "metadata.type == 'x'": /^0: An item has no `metadata`/,
    "data.a == 1 && data.b == 1": /^12: `&&` is read as `and`/,
    "data.a === 1": /^7: `===` is read as `==`/,
    "data.a == data.b": /^10: .*read as a text, not as a field/,
    "data.a ==": /^9: Nothing follows/,
    "data.a == 'x' and": /^10: .*read as one text/,
    "data.a == 1 | data.a == 2": /^10: .*read as one text/,
    "data.a == 'x": /^10: .*read as one text/
  }
  for (const [text, message] of Object.entries(suspicious)) {
    it(text, () => {
      assert.lengthOf(warnings(text), 1)
      assert.match(warnings(text)[0] ?? "", message)
    })
  }
})

describe("the canonical form", () => {
  const forms: Readonly<Record<string, string>> = {
    " data.a  ==  x ": "data.a == 'x'",
    "data.a == 1 or data.b == 2.0 AND is_empty data.c": "((data.a == 1 or data.b == 2.0) and data.c is_empty)",
    "not ((data.a == TRUE)) && data['b'] in [x, None, 1e3,'it\\'s']":
      "(not (data.a == true) and data['b'] in ['x', null, 1e3, \"it's\"])",
    "data.a regex_match ^[a-z]+$": "data.a regex_match '^[a-z]+$'"
  }
  for (const [text, form] of Object.entries(forms)) {
    it(form, () => {
      assert.strictEqual(Condition.print(parsed(text)), form)
      assert.strictEqual(Condition.print(parsed(form)), form)
    })
  }
})

describe("bounds", () => {
  it("length", () => {
    assert.isTrue(Either.isRight(Condition.parse(ofLength(Limits.maxLength - 1))))
    assert.match(parseError(ofLength(Limits.maxLength + 1)).message, /at most 20000 characters/)
  })

  it("parentheses, not and lists", () => {
    assert.isTrue(Either.isRight(Condition.parse(groups(Limits.maxNesting - 1))))
    assert.match(parseError(groups(Limits.maxNesting + 1)).message, /at most 50 times/)
    assert.match(parseError(`${"not ".repeat(Limits.maxNesting + 1)}data.a == 1`).message, /at most 50 times/)
    assert.match(parseError(`data.a == ${"[".repeat(60)}${"]".repeat(60)}`).message, /at most 50 times/)
  })

  it("comparisons", () => {
    assert.isTrue(Either.isRight(Condition.parse(repeated(Limits.maxComparisons, "data.a == 1").join(" or "))))
    assert.match(
      parseError(repeated(Limits.maxComparisons + 1, "data.a == 1").join(" or ")).message,
      /at most 1000 comparisons/
    )
  })

  it("patterns: their length, size and number", () => {
    assert.match(parseError(match("a".repeat(Limits.maxPatternLength + 1))).message, /at most 2000 characters/)
    assert.match(parseError(match("(a{100}){100}")).message, /too large/)
    assert.match(parseError(["a{900}", "b{900}", "c{900}"].map(match).join(" or ")).message, /too large together/)
    const different = Array.from({ length: Limits.maxPatterns + 1 }, (_, index) => match(`p${index}`))
    assert.match(parseError(different.join(" or ")).message, /at most 25 different patterns/)
    assert.isTrue(Either.isRight(Condition.parse(repeated(100, match("p")).join(" or "))))
  })

  it("searching: a long text is not searched for a large pattern", () => {
    const error = evaluationError("data.a regex_match '(?:a?){400}b{400}$'", { data: { a: "a".repeat(200_000) } })
    assert.strictEqual(error.operator, "regex_match")
    assert.match(error.message, /too many to search/)
  })

  it("deep values have a text form", () => {
    let deep: unknown = "x"
    for (let depth = 0; depth < 20_000; depth++) deep = [deep]
    assert.strictEqual(outcome("data.a starts_with '[[[' and data.a contains 'y'", { data: { a: deep } }), false)
    assert.strictEqual(outcome("data.a regex_match '\\.\\.\\.'", { data: { a: deep } }), true)
  })
})

describe("whole numbers beyond 2^53", () => {
  const item = ExactJson.parse(
    '{"data": {"n": 9007199254740993, "list": [9007199254740993, 1], "negative": -98765432109876543210, "rounded": 1e16, "text": "9007199254740993"}}'
  ) as Readonly<Record<string, unknown>>
  const cases: ReadonlyArray<readonly [condition: string, expected: boolean]> = [
    ["data.n == 9007199254740993", true],
    ["data.n == 9007199254740992", false],
    ["data.n != 9007199254740994", true],
    ["data.n > 9007199254740992", true],
    ["data.n < 9007199254740994", true],
    ["data.n >= 5.5", true],
    ["data.n in [9007199254740992, 9007199254740993]", true],
    ["data.n not_in [9007199254740992]", true],
    ["data.list contains 9007199254740993", true],
    ["data.list contains 9007199254740992", false],
    ["data.list == [9007199254740993, 1]", true],
    ["data.list < [9007199254740994]", true],
    ["data.negative < 0", true],
    ["data.negative == -98765432109876543210", true],
    ["data.rounded == 10000000000000000", true],
    ["data.n starts_with '9007199254740993'", true],
    ["data.n regex_match '3$'", true],
    ["data.text == 9007199254740993", false],
    ["data.n is_not_empty", true]
  ]
  for (const [condition, expected] of cases) {
    it(condition, () => {
      const parsed = Either.getOrThrow(Condition.parse(condition))
      assert.strictEqual(Either.getOrThrow(Condition.evaluate(parsed, item)), expected)
    })
  }

  it("have an order only with numbers", () => {
    const parsed = Either.getOrThrow(Condition.parse("data.n < 'x'"))
    assert.include(Either.getOrThrow(Either.flip(Condition.evaluate(parsed, item))).message, "number")
  })
})
