import { assert, describe, it } from "@effect/vitest"
import { Either } from "effect"
import { parsePage } from "../../../../src/executors/input/scraping/Dom.ts"
import * as Selector from "../../../../src/executors/input/scraping/Selector.ts"

const page = parsePage(`<!doctype html>
<html><head><title> The  title </title><meta name="author" content="Ann@example.com"></head>
<body><!-- note -->
<h1>Head <em>line</em></h1>
<ul id="list"><li class="x">one</li><li class="x y">two</li><li>three</li></ul>
<ul id="other"><li>four</li></ul>
<p data-mail="a@b.c">mail</p><p>  </p><p></p>
<a HREF="/up" Title="Upper">upper</a>
<div><div><a href="/deep@2">deep</a></div></div>
<table><tr><td>1</td><td>2.5</td></tr><tr><td>30</td><td>x</td></tr></table>
</body></html>`)

const value = (text: string) => Either.flatMap(Selector.parse(text), (selector) => Selector.select(selector, page))

const cases: Readonly<Record<string, string | null | undefined>> = {
  title: "The  title",
  h1: "Head line",
  "css=h1 em": "line",
  ".x.y": "two",
  "#list > li:nth-child(3)": "three",
  "meta[name=author]@content": "Ann@example.com",
  "meta[name=author] @ CONTENT": "Ann@example.com",
  'p[data-mail="a@b.c"]': "mail",
  'p[data-mail="a@b.c"]@data-mail': "a@b.c",
  "a[href]@title": "Upper",
  "h1@id": null,
  "p:nth-of-type(3)": null,
  ".absent": undefined,
  ".absent@href": undefined,
  "//h1": "Head line",
  "xpath=//h1/em": "line",
  "/html/body/h1": "Head line",
  "//meta[@name='author']/@content": "Ann@example.com",
  "//meta[@name='author']@content": "Ann@example.com",
  '//p[@data-mail="a@b.c"]': "mail",
  '//p[@data-mail="a@b.c"] @data-mail': "a@b.c",
  "//a[@href]/@title": "Upper",
  "//LI[2]": "two",
  "(//li)[4]": "four",
  "(//li)[last()]": "four",
  "//ul[2]/li[1]": "four",
  "//li[contains(@class, 'y')]": "two",
  "//li[not(@class)]": "three",
  "//li[position() > 1 and position() < 3]": "two",
  "//li[. = 'three' or . = 'nothing']/preceding-sibling::li[1]": "two",
  "//li[text()='one']/following-sibling::*": "two",
  "//a[starts-with(@href, '/deep')]/ancestor::div[2]": "deep",
  "//a[starts-with(@href, '/deep')]/../@class | //h1/em": "line",
  "//em/parent::h1/text()": "Head",
  "//td[number(.) > 2]": "2.5",
  "//tr[td[1] = 30]/td[2]": "x",
  "//tr[td > 20]/td": "30",
  "//body/comment()": "note",
  "//ul[@id='list']//li[last()]": "three",
  ".//h1": "Head line",
  "xpath=count(//li)": "4",
  "xpath=concat(//h1/em, '-', count(//td) * 2 - 1)": "line-7",
  "xpath=normalize-space(//title)": "The title",
  "xpath=substring-after(//meta/@content, '@')": "example.com",
  "xpath=substring-before(//meta/@content, '@')": "Ann",
  "xpath=substring('12345', 2, 3)": "234",
  "xpath=translate('bar', 'abc', 'AB')": "BAr",
  "xpath=string-length(//h1/em)": "4",
  "xpath=local-name(//*[@id='list'])": "ul",
  "xpath=boolean(//absent)": "false",
  "xpath=10 div 4": "2.5",
  "xpath=-3 mod 2": "-1",
  "//absent": undefined,
  "//p[3]": null
}

describe("Selector", () => {
  for (const [text, expected] of Object.entries(cases)) {
    it(`${text} is ${JSON.stringify(expected)}`, () => assert.deepStrictEqual(value(text), Either.right(expected)))
  }

  it("says what it does not understand", () => {
    const wrong: Readonly<Record<string, RegExp>> = {
      "": /no element/,
      "@href": /no element/,
      "a:has-text('x')": /:has-text/,
      "div[": /CSS/,
      "//": /name was expected/,
      "//a[": /expected/,
      "//a[@href": /\] was expected/,
      "//a)": /not understood/,
      "//a/@href/ @x y": /not understood/,
      "//following::a": /axis following/,
      "//a[matches(., 'x')]": /matches\(\)/,
      "//a[contains(.)]": /1 arguments/,
      "xpath='a'/b": /nodes of a string/
    }
    for (const [text, message] of Object.entries(wrong)) {
      const result = value(text)
      assert.isTrue(Either.isLeft(result), text)
      if (Either.isLeft(result)) assert.match(result.left, message, text)
    }
    assert.isTrue(Either.isLeft(Selector.parse(`//a${"[b".repeat(500)}${"]".repeat(500)}`)))
    assert.isTrue(Either.isLeft(Selector.parse(`xpath=${"(".repeat(50_000)}`)))
  })

  it("stops an XPath that multiplies", () => {
    const wide = parsePage(`<body>${"<i></i>".repeat(3000)}</body>`)
    const selector = Either.getOrThrow(Selector.parse("//i[count(preceding-sibling::i) = 2999.5]"))
    const result = Selector.select(selector, wide)
    assert.isTrue(Either.isLeft(result) && /looks at more than/.test(result.left))
  })
})

describe("parsePage", () => {
  const at = (html: string, text: string) =>
    Either.getOrThrow(Either.flatMap(Selector.parse(text), (selector) => Selector.select(selector, parsePage(html))))

  it("gives a page the parts that its author left out", () => {
    for (const html of [
      "<title>T</title><p>x",
      "<!DOCTYPE html><title>T</title><p>x",
      "<html><title>T</title><p>x</html>",
      "<html><head><title>T</title></head><p>x</html>",
      "<html><head><title>T</title></head><body><p>x</body></html>",
      "<!-- c --><title>T</title><p>x</p>"
    ]) {
      assert.strictEqual(at(html, "title"), "T", html)
      assert.strictEqual(at(html, "body"), "x", html)
      assert.strictEqual(at(html, "/html/head/title"), "T", html)
      assert.strictEqual(at(html, "/html/body/p"), "x", html)
    }
    assert.strictEqual(at("just text", "body"), "just text")
    assert.strictEqual(at("", "body"), null)
  })
})
