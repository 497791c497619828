import { assert, describe, it } from "@effect/vitest"
import * as Pattern from "../../src/condition/Pattern.ts"
import { SyntaxProblem } from "../../src/condition/SyntaxProblem.ts"

/** Pattern, a text in which Python's `re.search` finds it, and one in which it does not. */
const cases: ReadonlyArray<readonly [pattern: string, found: string, missed: string]> = [
  ["^inv", "invoice", "my invoice"],
  ["a.b", "a-b", "a\nb"],
  ["(?s)a.b", "a\nb", "ab"],
  ["(?i)^INV", "invoice", "nvoice"],
  ["(?i:ä)b", "Äb", "ÄB"],
  ["(?i)a(?-i:b)", "Ab", "AB"],
  ["a$", "a\n", "a\nb"],
  ["(?m)a$", "a\nb", "ab"],
  ["(?m)^b", "a\nb", "ab"],
  ["z\\Z", "az", "z\n"],
  ["\\d", "٥", "x"],
  ["(?a)\\d", "5", "٥"],
  ["^\\w+$", "straße", "a b"],
  ["^\\W+$", " -", "-é"],
  ["^\\s$", "\u3000", "\ufeff"],
  ["[^\\W\\d_]", "é", "1_"],
  ["[\\W\\d]", "é1", "é"],
  ["[\\s\\S]", "\n", ""],
  ["[]a]", "]", "b"],
  ["[^]a]", "b", "]a"],
  ["[[:alpha:]]", "a]", "z"],
  ["[a\\-c]", "-", "b"],
  ["[\\b]", "\b", "b"],
  ["x{2}", "xx", "x"],
  ["^x{,2}$", "xx", "xxx"],
  ["x{", "x{", "x"],
  ["x{a}", "x{a}", "xa"],
  ["(?P<year>\\d{4})-\\d\\d", "2024-05", "2024_05"],
  ["(?<!a)z", "z", "az"],
  ["(?<=é)z", "éz", "ez"],
  ["a(?#comment)b", "ab", "a"],
  ["(?x) a b # c", "ab", "a b"],
  ["(?x)a\\ [ ]b", "a  b", "ab"],
  ["\\x41\\u00e9\\101\\0", "AéA\0", "A"],
  ["\\U0001f600", "😀", "x"],
  ["^.$", "😀", "ab"],
  ["a|", "", "never"],
  ["a*?b", "aab", "a"],
  ["\\bgood\\b", "a good day", "goodness"],
  ["\\büber\\b", "straße über x", "xüberx"],
  ["\\b(Straße|Weg)\\b", "die Straße", "Straßen"],
  ["\\Bé", "né", "é n"],
  ["^\\bé\\w*\\b\\s", "été 1", "été"],
  ["(?<=\\bé)a", "éa", "néa"],
  ["^[^ ]\\b", "é b", "éb"],
  ["é\\b\\n?$", "né\n", "éa"],
  ["\\.(pdf|csv)$", "x.PDF.csv", "x.csv.zip"]
]

/** What Python refuses, or RE2 has not, and a part of the message. */
const refused: Readonly<Record<string, RegExp>> = {
  "(": /a `\(` is not closed.*character 1 of the pattern/,
  "a)": /closes nothing/,
  "[a": /a `\[` is not closed/,
  "*": /nothing to repeat/,
  "a**": /two quantifiers/,
  "^*": /nothing to repeat/,
  "a\\": /cannot end in a backslash/,
  "\\p{L}": /`\\p` is not an escape/,
  "[z-a]": /range/,
  "[\\d-x]": /range/,
  "a{2,1}": /at least/,
  "(?P<a>x)(?P<a>y)": /two groups are named `a`/,
  "(?P<1>x)": /not a name/,
  "(?<a>x)": /\(\?P<name>/,
  "a(?i)b": /start of a pattern/,
  "(?#x": /not closed/,
  "(?=a)": /lookahead `\(\?=`/,
  "a(?!b)": /lookahead `\(\?!`/,
  "(a)\\1": /backreference/,
  "(?P<a>x)(?P=a)": /backreference/,
  "(?>a)": /atomic/,
  "a*+": /possessive/,
  "(a)(?(1)b|c)": /conditional/,
  "a{1001}": /more than 1000 times/,
  [`${"(".repeat(60)}${")".repeat(60)}`]: /inside each other/
}

describe("patterns mean what they mean in Python", () => {
  for (const [pattern, found, missed] of cases) {
    it(pattern, () => {
      const { test } = Pattern.compile(pattern, 0)
      assert.isTrue(test(found), `${pattern} is found in ${JSON.stringify(found)}`)
      // An empty alternative is found everywhere.
      if (missed !== "never") assert.isFalse(test(missed), `${pattern} is not found in ${JSON.stringify(missed)}`)
    })
  }
})

describe("what cannot be used is named", () => {
  for (const [pattern, message] of Object.entries(refused)) {
    it(pattern, () => {
      try {
        Pattern.compile(pattern, 7)
      } catch (problem) {
        assert.instanceOf(problem, SyntaxProblem)
        assert.strictEqual(problem.offset, 7)
        assert.match(problem.message, message)
        return
      }
      assert.fail(`${pattern} was accepted`)
    })
  }
})

describe("a search does not backtrack", () => {
  // Each of these takes a backtracking engine longer than the universe has existed.
  for (const pattern of ["(a+)+$", "(a|aa)*b", "(a*)*b", "(?:a?){50}a{50}b"]) {
    it(pattern, () => assert.isFalse(Pattern.compile(pattern, 0).test(`${"a".repeat(2_000)}é`)))
  }
})
