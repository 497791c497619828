import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import { stringify } from "yaml"
import { type YamlDocument, type YamlError, locate, parse, toPlain } from "../../src/yaml/Yaml.ts"
import type { YamlNode } from "../../src/yaml/YamlNode.ts"
import * as GoldenFiles from "../support/GoldenFiles.ts"

const right = (text: string): YamlDocument => Either.getOrThrowWith(parse(text), (error) => error)
const plain = (text: string): unknown => toPlain(right(text).value)
const left = (text: string, limits = {}): YamlError =>
  Either.getOrThrowWith(
    Either.flip(parse(text, limits)),
    () => new Error(`read without an error: ${text.slice(0, 80)}`)
  )

const places = (text: string): ReadonlyArray<string> =>
  left(text).problems.map(({ column, line }) => `${line}:${column}`)

// --- The tagged form of the golden file ---

type Tagged = { readonly type: string } & Record<string, unknown>

const tagged = (node: YamlNode): Tagged => {
  switch (node.kind) {
    case "null":
      return { type: "null" }
    case "int": {
      const value = Number(node.value)
      return Number.isSafeInteger(value) ? { type: "int", value } : { type: "int", text: String(node.value) }
    }
    case "float":
      return { type: "float", value: Number.isFinite(node.value) ? node.value : { $float: String(node.value) } }
    case "binary":
      return { type: "binary", value: Buffer.from(node.value).toString("base64") }
    case "datetime":
      return { type: "datetime", value: node.value, offset: node.offset }
    case "map":
      return { type: "map", entries: node.entries.map(([key, value]) => [tagged(key), tagged(value)]) }
    case "list":
    case "tuple":
    case "set":
      return { type: node.kind, items: node.items.map(tagged) }
    default:
      return { type: node.kind, value: node.value }
  }
}

interface GoldenCase {
  readonly id: string
  readonly text: string
  readonly output?: Tagged
  readonly error?: { readonly line?: number; readonly column?: number }
}

describe("the original's reading", () => {
  for (const line of GoldenFiles.lines("yaml11.jsonl")) {
    const { error, id, output, text } = JSON.parse(line) as GoldenCase
    it(`${id} ${JSON.stringify(text).slice(0, 60)}`, () => {
      if (error === undefined) return assert.deepStrictEqual(tagged(right(text).value), output)
      const [problem] = left(text).problems
      if (error.line !== undefined)
        assert.strictEqual(`${problem.line}:${problem.column}`, `${error.line}:${error.column}`)
    })
  }
})

describe("the dialect", () => {
  const table: ReadonlyArray<readonly [text: string, kind: YamlNode["kind"], value: unknown]> = [
    ...["yes", "Yes", "YES", "on", "On", "ON", "true", "True", "TRUE"].map((text) => [text, "bool", true] as const),
    ...["no", "No", "NO", "off", "Off", "OFF", "false", "False", "FALSE"].map((text) => [text, "bool", false] as const),
    ...["y", "n", "Y", "N", "yES", "1e3", "1.0e3", "0o12", "09", "2024-1-1"].map(
      (text) => [text, "str", text] as const
    ),
    ...["~", "null", "Null", "NULL", ""].map((text) => [text, "null", null] as const),
    ["12:30", "int", 750],
    ["12:30:45", "int", 45_045],
    ["012", "int", 10],
    ["0x1F", "int", 31],
    ["0b101", "int", 5],
    ["1_000", "int", 1_000],
    ["1.0e+3", "float", 1_000],
    [".5", "float", 0.5],
    ["1:30.5", "float", 90.5],
    ["2024-01-01", "date", "2024-01-01"],
    ["2024-01-01T10:00:00Z", "datetime", "2024-01-01T10:00:00+00:00"],
    ["2024-01-01 1:02:03.04 -5:30", "datetime", "2024-01-01T01:02:03.040000-05:30"]
  ]
  for (const [text, kind, value] of table) {
    it(`${JSON.stringify(text)} is ${kind}`, () => {
      const { value: root } = right(`- ${text}`)
      assert.strictEqual(root.kind === "list" ? root.items[0]?.kind : undefined, kind)
      assert.deepStrictEqual(toPlain(root), [value])
    })
  }

  it("the last of equal keys wins, in the place of the first", () => {
    assert.strictEqual(JSON.stringify(plain("a: 1\nb: 2\na: 3")), '{"a":3,"b":2}')
  })

  it("keys that Python holds for equal are one key", () => {
    assert.strictEqual(JSON.stringify(plain("1: a\n1.0: b\nyes: c\n'1': d")), '{"1":"d"}')
    const { value } = right("2024-01-01T10:00:00Z: a\n2024-01-01T11:00:00+01:00: b")
    assert.strictEqual(value.kind === "map" ? value.entries.length : 0, 1)
  })

  it("merges fill in what a mapping does not say itself", () => {
    const text = "x: &x {k: 1, l: 1}\ny: &y {k: 2, m: 2}\nz:\n  m: 3\n  <<: [*x, *y]"
    assert.deepStrictEqual({ ...(plain(text) as { z: object }).z }, { k: 1, l: 1, m: 3 })
  })

  it("a lone = is refused, and the way out is named", () => {
    assert.strictEqual(left("a: =").message, 'line 1, column 4: a lone "=" cannot be a value; put it in quotes')
  })

  it("other line breaks, free indentation within brackets and quotes", () => {
    const text = 'a: [1,\n2]\rb: "x\ny"\u0085c: u\u2028  v\u2028d: {e?: 1}'
    assert.deepStrictEqual(places(text), ["7:6"])
    assert.deepStrictEqual(
      { ...(plain(text.replace("e?", "e")) as object), d: null },
      {
        a: [1, 2],
        b: "x y",
        c: "u\u2028v",
        d: null
      }
    )
  })
})

describe("errors", () => {
  it("all of a file at once, in the order of the text", () => {
    const text = "a: 2024-13-01\nb: *nowhere\nc: !x 1\n? [d]\n: 1\ne: =\n"
    assert.deepStrictEqual(places(text), ["1:4", "2:4", "3:4", "4:3", "6:4"])
  })

  it("what was wrong before a syntax error and the syntax errors behind it", () => {
    assert.deepStrictEqual(places("a: 2024-13-01\nb: c: d\ne: 1\nf: @g\nh: 'i' j\n"), ["1:4", "2:5", "4:4", "5:8"])
  })

  it("syntax errors of several entries, also inside lists, each at its place", () => {
    const text = [
      "pipeline:",
      "  executors:",
      "    - id: a: b",
      "      type: x",
      "    - id: 'c",
      "      d' e",
      "    - id: good",
      "  edges:",
      "    - from: @a",
      "      to: b",
      "  name: %p",
      "",
      "# end"
    ].join("\r\n")
    assert.deepStrictEqual(places(text), ["3:12", "6:10", "9:13", "11:9"])
  })

  it("none is invented behind brackets, texts of several lines and other documents", () => {
    assert.deepStrictEqual(places("a: [1, 2\nb: 3\nc: 4\n"), ["2:2"])
    assert.deepStrictEqual(places("a: b: c\n  d: e: f\ng: |\n  h: i: j\nk: l\n"), ["1:5"])
    assert.deepStrictEqual(places("- a: @b\n  c: d\n- e\n---\nf: @g\n"), ["1:6"])
    assert.deepStrictEqual(places('a: b: c\nd: "e\n  f: g: h\n  i"\nj:\n- k\n- l\nm: *n\n'), ["1:5"])
  })

  it("columns count characters, not UTF-16 units", () => {
    assert.deepStrictEqual(places("'😀': =\n"), ["1:6"])
  })

  it("a shared value is reported once", () => {
    assert.deepStrictEqual(places("a: &x [=]\nb: [*x, *x]\n"), ["1:8"])
  })

  it("several documents, values that hold themselves, control characters", () => {
    assert.deepStrictEqual(places("a: 1\n---\nb: 2\n"), ["2:1"])
    assert.deepStrictEqual(places("a: &a [*a]\n"), ["1:8"])
    assert.deepStrictEqual(places("a: 1\nb: \u0001\u0002\n"), ["2:4", "2:5"])
  })

  it("are not invented: a good text after tabs in comments and quotes reads", () => {
    assert.deepStrictEqual(plain("# \t\n- '\t'\n"), ["\t"])
    assert.deepStrictEqual(places("a:\n\t- 1\n"), ["2:1"])
  })
})

/** Nine values in a list, nine such lists in the next, and so on: small to write, endless to read. */
const laughs = (levels: number): string =>
  ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    .concat(Array.from({ length: levels }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(9).fill(`*a${i}`).join(", ")}]`))
    .join("\n")

describe("limits", () => {
  const merges = laughs(8)
    .replaceAll("[*", "{<<: [*")
    .replaceAll(/(\*a\d)\]/g, "$1]}")
    .replace(/\[x.*\]/, "{x: 1, y: 2}")

  const cases: ReadonlyArray<readonly [name: string, text: string, limits: object, message: RegExp]> = [
    ["bytes", "é".repeat(6), { bytes: 11 }, /longer than 11 bytes/],
    // Sizes on both sides of where a recursive reader runs out of stack, and where one may refuse a text for its length alone.
    ...[65, 100, 700, 900, 2_000, 8_000, 30_000, 100_000].flatMap((levels) =>
      [
        ["open brackets", "[".repeat(levels)],
        ["brackets", "[".repeat(levels) + "]".repeat(levels)],
        ["mappings", "{a: ".repeat(levels) + "}".repeat(levels)],
        ["dashes", "- ".repeat(levels)],
        ["complex keys", "? ".repeat(levels)],
        ["indented keys", Array.from({ length: Math.min(levels, 1_400) }, (_, i) => `${" ".repeat(i)}k:`).join("\n")]
      ].map(([what, text]) => [`depth: ${levels} ${what}`, text ?? "", {}, /more than 64 levels/] as const)
    ),
    ["depth through aliases", "- &a [1]\n- &b [*a]\n- [*b]\n", { depth: 3 }, /more than 3 levels/],
    ["values", "- 1\n- 2\n- 3\n", { nodes: 3 }, /more than 3 values/],
    ["values behind aliases", laughs(8), {}, /aliases written out.*more than 100000 values/],
    ["values behind merges", merges, {}, /aliases written out.*more than 100000 values/],
    ["aliases", "- &a 1\n- *a\n- *a\n", { aliases: 1 }, /more than 1 aliases/],
    ["digits", "9".repeat(4_301), {}, /at most 4300 digits/]
  ]
  for (const [name, text, limits, message] of cases) {
    // Twice: what a first reading leaves behind (compiled patterns, caches) must not make the second one fall.
    it(name, () => {
      assert.match(left(text, limits).message, message)
      assert.match(left(text, limits).message, message)
    })
  }

  it("what just meets them is read", () => {
    assert.isTrue(Either.isRight(parse("- &a [1]\n- *a\n", { bytes: 14, depth: 2, nodes: 5, aliases: 1 })))
    assert.deepStrictEqual(plain("[".repeat(64) + "]".repeat(64)), JSON.parse("[".repeat(64) + "]".repeat(64)))
  })
})

describe("toPlain", () => {
  it("names keys as Python writes them", () => {
    const text =
      "3: a\n1.5: a\n2.0: a\nyes: a\n~: a\n2024-01-01: a\n2024-01-01T10:00:00Z: a\n.inf: a\n!!binary aCc=: a\n"
    assert.deepStrictEqual(Object.keys(plain(text) as object), [
      "3",
      "1.5",
      "2.0",
      "True",
      "None",
      "2024-01-01",
      "2024-01-01 10:00:00+00:00",
      "inf",
      `b"h'"`
    ])
  })

  it("keeps __proto__ an ordinary key", () => {
    const value = plain("__proto__: {polluted: 1}\nconstructor: 2\n") as Record<string, unknown>
    assert.deepStrictEqual(Object.keys(value), ["__proto__", "constructor"])
    assert.isNull(Object.getPrototypeOf(value))
    assert.notProperty({}, "polluted")
  })

  it("gives dates as texts, sets and pairs as lists, large whole numbers with all their digits", () => {
    const text = "[2024-01-01, !!set {b, a}, !!omap [k: 1], 9007199254740991, 9007199254740993, -18446744073709551616]"
    assert.deepStrictEqual(plain(text), [
      "2024-01-01",
      ["b", "a"],
      [["k", 1]],
      9007199254740991,
      9007199254740993n,
      -18446744073709551616n
    ])
  })
})

describe("locate", () => {
  const document = right("pipeline:\n  executors:\n    - id: a\n    - id: b\n      settings: {chunk_size: -1, 5: x}\n")
  const at = (...path: ReadonlyArray<string | number>): string => {
    const { column, line } = locate(document, path)
    return `${line}:${column}`
  }

  it("gives the place of a value", () => {
    assert.strictEqual(at(), "1:1")
    assert.strictEqual(at("pipeline", "executors", 1, "id"), "4:11")
    assert.strictEqual(at("pipeline", "executors", 1, "settings", "chunk_size"), "5:30")
    assert.strictEqual(at("pipeline", "executors", 1, "settings", 5), "5:37")
  })

  it("gives the place of what should hold a missing value", () => {
    assert.strictEqual(at("pipeline", "executors", 0, "type"), "3:7")
    assert.strictEqual(at("pipeline", "executors", 7, "id"), "3:5")
    assert.strictEqual(at("pipeline", "edges", 0, "from"), "2:3")
  })
})

describe("what the yaml package writes as YAML 1.1", () => {
  const words = [
    "yes",
    "no",
    "12:30",
    "1e3",
    "~",
    "2024-01-01",
    "- a",
    "a: b",
    "#c",
    "",
    " pad ",
    "two\nlines\n",
    "012",
    ".5",
    "é文😀"
  ]
  const text = FastCheck.oneof(
    FastCheck.constantFrom(...words),
    FastCheck.string({ unit: "grapheme-ascii", maxLength: 120 })
  )
  const leaf = FastCheck.oneof(
    text,
    FastCheck.integer(),
    FastCheck.boolean(),
    FastCheck.constant(null),
    FastCheck.integer({ min: -1e6, max: 1e6 }).map((n) => n / 64)
  )
  const { value } = FastCheck.letrec<{ value: unknown }>((tie) => ({
    value: FastCheck.oneof(
      { maxDepth: 4 },
      leaf,
      FastCheck.array(tie("value"), { maxLength: 4 }),
      FastCheck.dictionary(text, tie("value"), { maxKeys: 4 })
    )
  }))

  it("reads back equal", () => {
    FastCheck.assert(
      FastCheck.property(value, (written) => {
        const dumped = stringify(written, {
          version: "1.1",
          defaultStringType: "QUOTE_DOUBLE",
          aliasDuplicateObjects: false
        })
        assert.strictEqual(JSON.stringify(plain(dumped)), JSON.stringify(written))
      }),
      { seed: 11, numRuns: 500 }
    )
  })
})
