import { assert, describe, it } from "@effect/vitest"
import { Either } from "effect"
import * as Limits from "../../src/cosmossql/Limits.ts"
import * as Query from "../../src/cosmossql/Query.ts"

const families = [
  {
    id: "a",
    size: 3,
    tags: ["x", "y"],
    pets: [
      { name: "Rex", kind: "dog" },
      { name: "Tom", kind: "cat" }
    ],
    at: { city: "Oslo" }
  },
  { id: "b", size: "3", tags: ["y"], pets: [], at: { city: "Rome" }, extra: null },
  { id: "c", size: 1.5, tags: "none", pets: [{ name: "Rex", kind: "cat" }] },
  { id: "d", flag: true, at: { city: "Oslo" }, __proto: 1 }
]

const run = (
  query: string,
  parameters: Readonly<Record<string, unknown>> = {},
  documents: ReadonlyArray<unknown> = families,
  limit = 1_000
) =>
  Query.parse(query).pipe(
    Either.flatMap((parsed) =>
      Query.execute(parsed, { limit, now: 0, parameters: new Map(Object.entries(parameters)) })
    ),
    Either.flatMap((execution) => {
      for (const document of documents) {
        const added = execution.add(document)
        if (Either.isLeft(added)) return Either.left(added.left)
        if (!added.right) break
      }
      return execution.results()
    }),
    Either.mapLeft(({ message }) => message)
  )

const answers = (cases: ReadonlyArray<readonly [query: string, expected: ReadonlyArray<unknown>]>) => {
  for (const [query, expected] of cases) it(query, () => assert.deepStrictEqual(run(query), Either.right(expected)))
}

describe("sources", () => {
  answers([
    ["SELECT VALUE c.id FROM c", ["a", "b", "c", "d"]],
    ["SELECT VALUE f.id FROM Families AS f WHERE f.flag", ["d"]],
    ["SELECT * FROM c.at", [{ city: "Oslo" }, { city: "Rome" }, { city: "Oslo" }]],
    ["SELECT VALUE p.name FROM p IN c.pets", ["Rex", "Tom", "Rex"]],
    [
      "SELECT c.id, t AS tag FROM c JOIN t IN c.tags",
      [
        { id: "a", tag: "x" },
        { id: "a", tag: "y" },
        { id: "b", tag: "y" }
      ]
    ],
    [
      "SELECT VALUE [t, p.name] FROM c JOIN t IN c.tags JOIN p IN c.pets WHERE p.kind = 'dog'",
      [
        ["x", "Rex"],
        ["y", "Rex"]
      ]
    ],
    ["SELECT VALUE p FROM c JOIN (SELECT VALUE p.name FROM p IN c.pets WHERE p.kind = 'cat') AS p", ["Tom", "Rex"]],
    ["SELECT VALUE 1 + 1", [2]],
    ["SELECT 'x' AS a, 2", [{ a: "x", $1: 2 }]]
  ])
})

describe("conditions", () => {
  answers([
    // A text is no number: the comparison is undefined, and so is its opposite.
    ["SELECT VALUE c.id FROM c WHERE c.size > 1", ["a", "c"]],
    ["SELECT VALUE c.id FROM c WHERE NOT (c.size > 1)", []],
    ["SELECT VALUE c.id FROM c WHERE c.size != 3", ["b", "c"]],
    ["SELECT VALUE c.id FROM c WHERE c.extra = null", ["b"]],
    ["SELECT VALUE c.id FROM c WHERE IS_NULL(c.extra) OR c.flag", ["b", "d"]],
    ["SELECT VALUE c.id FROM c WHERE c.at = {'city': 'Oslo'}", ["a", "d"]],
    ["SELECT VALUE c.id FROM c WHERE c.tags = ['y'] AND c.none = undefined OR c.id = 'd'", ["d"]],
    ["SELECT VALUE c.id FROM c WHERE ARRAY_CONTAINS(c.tags, 'x')", ["a"]],
    ["SELECT VALUE c.id FROM c WHERE ARRAY_CONTAINS(c.pets, {'kind': 'cat'}, true)", ["a", "c"]],
    ["SELECT VALUE c.id FROM c WHERE EXISTS(SELECT VALUE p FROM p IN c.pets WHERE p.kind = 'dog')", ["a"]],
    ["SELECT VALUE c.id FROM c WHERE c.id NOT IN ('a', 'b')", ["c", "d"]],
    ["SELECT VALUE c.id FROM c WHERE c.size NOT BETWEEN 2 AND 4", ["c"]],
    ["SELECT VALUE c.id FROM c WHERE c.at.city LIKE 'O%'", ["a", "d"]],
    ["SELECT VALUE c.id FROM c WHERE c.at.city LIKE '_o_e' OR c.id LIKE '[b-c]'", ["b", "c"]],
    ["SELECT VALUE '50%' LIKE '50!%' ESCAPE '!'", [true]],
    ["SELECT VALUE c.id FROM c WHERE c['at']['city'] = \"Rome\" /* a note */ AND true", ["b"]],
    ["SELECT VALUE c.__proto__ FROM c", []],
    ["SELECT VALUE c.tags[0] FROM c WHERE IS_ARRAY(c.tags)", ["x", "y"]],
    ["SELECT VALUE 1 + 2 * 3 - -4 % 3 | 8", [8 | (1 + 6 + (4 % 3))]]
  ])
})

describe("results", () => {
  answers([
    ["SELECT DISTINCT VALUE c.at.city FROM c", ["Oslo", "Rome"]],
    ["SELECT DISTINCT c.at FROM c WHERE IS_DEFINED(c.at)", [{ at: { city: "Oslo" } }, { at: { city: "Rome" } }]],
    // undefined, null, booleans, numbers, texts
    ["SELECT VALUE c.id FROM c ORDER BY c.size", ["d", "c", "a", "b"]],
    ["SELECT VALUE c.id FROM c ORDER BY c.at.city DESC, c.id ASC OFFSET 1 LIMIT 2", ["a", "d"]],
    ["SELECT TOP 2 VALUE c.id FROM c", ["a", "b"]],
    [
      "SELECT c.at.city, COUNT(1) AS n FROM c GROUP BY c.at.city",
      [{ city: "Oslo", n: 2 }, { city: "Rome", n: 1 }, { n: 1 }]
    ],
    ["SELECT VALUE SUM(c.size) FROM c", []],
    ["SELECT VALUE SUM(c.size) FROM c WHERE IS_NUMBER(c.size)", [4.5]],
    ["SELECT COUNT(c.at) AS n, MAX(c.id) AS last FROM c WHERE false", [{ n: 0 }]],
    [
      "SELECT VALUE {'id': c.id, 'cats': ARRAY(SELECT VALUE p.name FROM p IN c.pets WHERE p.kind = 'cat')} FROM c WHERE c.size = 3",
      [{ id: "a", cats: ["Tom"] }]
    ],
    ["SELECT VALUE (SELECT VALUE COUNT(1) FROM p IN c.pets) FROM c", [2, 0, 1, 0]]
  ])
})

describe("functions", () => {
  answers([
    ["SELECT VALUE CONCAT('a', LOWER('B'), SUBSTRING('xcx', 1, 1), LEFT('de', 1), RIGHT('de', 1))", ["abcde"]],
    [
      "SELECT VALUE [LENGTH('abc'), INDEX_OF('abc', 'c'), REPLACE('aa', 'a', 'b'), TRIM(' x '), REVERSE('ab')]",
      [[3, 2, "bb", "x", "ba"]]
    ],
    [
      "SELECT VALUE [CONTAINS('Abc', 'aB', true), CONTAINS('Abc', 'aB'), ENDSWITH('abc', 'c'), STRINGEQUALS('A', 'a', true)]",
      [[true, false, true, true]]
    ],
    [
      "SELECT VALUE [StringToNumber('1.5'), StringToBoolean('true'), ToString(2), StringSplit('a,b', ','), StringJoin(['a', 'b'], '-')]",
      [[1.5, true, "2", ["a", "b"], "a-b"]]
    ],
    [
      "SELECT VALUE [ROUND(-2.5), FLOOR(1.5), CEILING(1.5), ABS(-1), POWER(2, 3), ROUND(1.25, 1)]",
      [[-3, 1, 2, 1, 8, 1.3]]
    ],
    [
      "SELECT VALUE [ARRAY_LENGTH([1]), ARRAY_SLICE([1, 2, 3], -2, 1), SetUnion([1], [1, 2]), SetIntersect([1, 2], [2])]",
      [[1, [2], [1, 2], [2]]]
    ],
    ["SELECT VALUE [RegexMatch('Abc', '^a', 'i'), RegexMatch('Abc', '^a')]", [[true, false]]],
    ["SELECT VALUE [IIF(1 = 1, 'y', 'n'), UPPER(1) ?? 'no text', 1 / 0 ?? 'none']", [["y", "no text", "none"]]],
    ["SELECT VALUE GetCurrentDateTime()", ["1970-01-01T00:00:00.0000000Z"]]
  ])
})

describe("parameters and limits", () => {
  it("take any value, and never become part of the query", () => {
    assert.deepStrictEqual(
      run("SELECT VALUE c.id FROM c WHERE c.at = @at", { "@at": { city: "Rome" } }),
      Either.right(["b"])
    )
    assert.deepStrictEqual(run("SELECT VALUE c.id FROM c WHERE c.id = @id", { "@id": "' OR 1=1 --" }), Either.right([]))
    assert.deepStrictEqual(run("SELECT TOP @n VALUE c.id FROM c", { "@n": 1 }), Either.right(["a"]))
  })

  it("give no more than is wanted, and look at no more documents than that takes", () => {
    assert.deepStrictEqual(run("SELECT VALUE c.id FROM c", {}, families, 2), Either.right(["a", "b"]))
    const execution = Either.getOrThrow(
      Either.flatMap(Query.parse("SELECT * FROM c"), (parsed) =>
        Query.execute(parsed, { limit: 2, now: 0, parameters: new Map() })
      )
    )
    assert.deepStrictEqual(
      families.map((family) => Either.getOrThrow(execution.add(family))),
      [true, false, false, false]
    )
  })
})

describe("queries that can't be read or run say why", () => {
  for (const [query, message] of [
    ["", /the query ends where SELECT is expected/],
    ["SELECT * FRM c", /there is FRM at character 10 where/],
    ["SELECT * FROM c WHERE", /the query ends where an expression is expected/],
    ["SELECT * FROM c WHERE c.x = 'open", /text that begins at character 29 does not end/],
    ["SELECT * FROM c WHERE c.x = #", /character # has no meaning/],
    ["SELECT * FROM c WHERE ST_DISTANCE(c.x, c.y) < 1", /no function ST_DISTANCE here/],
    ["SELECT VALUE UPPER() FROM c", /UPPER takes 1 expressions/],
    ["SELECT VALUE d.id FROM c", /names d, which no FROM or JOIN/],
    ["SELECT * FROM c JOIN t IN c.tags", /SELECT \* needs FROM with one source/],
    ["SELECT VALUE c.id FROM c WHERE c.id = @none", /@none, which has no value/],
    ["SELECT TOP 'x' * FROM c", /TOP must be a whole number/],
    ["SELECT VALUE RegexMatch(c.id, '(') FROM c", /pattern of REGEXMATCH/],
    [`SELECT VALUE ${"(".repeat(60)}1${")".repeat(60)}`, /at most 50 times/],
    [`SELECT VALUE ${"- ".repeat(60)}1`, /at most 50 times/],
    [`SELECT VALUE ${"not ".repeat(60)}true`, /at most 50 times/],
    [`SELECT VALUE '${"x".repeat(Limits.maxLength)}'`, /at most 50000 characters/]
  ] as const) {
    it(query.slice(0, 60) || "an empty one", () => {
      const result = run(query)
      assert.isTrue(Either.isLeft(result))
      assert.match(Either.isLeft(result) ? result.left : "", message)
    })
  }

  it("end when they take too much work", () => {
    const many = { n: Array.from({ length: 1_000 }, (_, index) => index) }
    const result = run("SELECT VALUE COUNT(1) FROM c JOIN a IN c.n JOIN b IN c.n JOIN d IN c.n", {}, [many])
    assert.match(Either.isLeft(result) ? result.left : "", /too much work/)
    const pattern = `${"%a".repeat(2_000)}b`
    const slow = run("SELECT VALUE c.id FROM c WHERE c.text LIKE @pattern", { "@pattern": pattern }, [
      { text: "a".repeat(50_000) }
    ])
    assert.match(Either.isLeft(slow) ? slow.left : "", /too much work/)
  })

  it("count what comparisons and searches look at", () => {
    const n = Array.from({ length: 5_000 }, (_, index) => index)
    const documents = [{ n, alike: [...n.slice(0, -1), -1], text: "a".repeat(1_000_000) }]
    for (const condition of ["ARRAY_CONTAINS_ANY(c.n, -1)", "c.n = c.alike", "INDEX_OF(c.text, 'b') = 0"]) {
      const result = run(`SELECT VALUE 1 FROM c JOIN a IN c.n WHERE ${condition}`, {}, documents)
      assert.match(Either.isLeft(result) ? result.left : condition, /too much work/)
    }
  })

  it("may be long chains, which no stack is too small for", () => {
    for (const [query, expected] of [
      [`SELECT VALUE ${"1+".repeat(20_000)}1`, [20_001]],
      [`SELECT VALUE 1 FROM c WHERE ${"c.x=1 OR ".repeat(5_500)}c.id='a'`, [1]],
      [`SELECT VALUE 1 FROM c WHERE ${"c.id='a' AND ".repeat(3_800)}true`, [1]],
      [`SELECT VALUE ${"c.x ?? ".repeat(7_000)}1 FROM c WHERE c.id='a'`, [1]],
      [`SELECT VALUE c.id FROM c WHERE NOT IS_DEFINED(c${".x".repeat(20_000)}) AND c.id='a'`, ["a"]]
    ] as const) {
      assert.deepStrictEqual(run(query), Either.right(expected))
    }
    for (const test of [" IN (1)", " = 1", " NOT LIKE 'a'"]) {
      const result = run(`SELECT VALUE 1 FROM c WHERE c.id${test.repeat(3_500)}`)
      assert.match(Either.isLeft(result) ? result.left : test, /inside each other at most/)
    }
  })

  it("make no values that lie deeper in each other than those of documents", () => {
    const deep = `${"[".repeat(50_000)}${"]".repeat(50_000)}`
    const shallow = `${"[".repeat(100)}${"]".repeat(100)}`
    assert.deepStrictEqual(
      run("SELECT VALUE IS_DEFINED(STRINGTOARRAY(c.text)) FROM c", {}, [{ text: deep }, { text: shallow }]),
      Either.right([false, true])
    )
    assert.deepStrictEqual(
      run("SELECT VALUE TOSTRING(STRINGTOOBJECT(c.text)) FROM c", {}, [{ text: `{"a":${deep}}` }]),
      Either.right([])
    )
  })
})
