import * as Either from "effect/Either"
import * as CutText from "../../../text/CutText.ts"
import { type DomDocument, type DomElement, isElement } from "../../../xpath/DomNode.ts"
import * as XPath from "../../../xpath/XPath.ts"
import * as XPathSyntax from "../../../xpath/XPathSyntax.ts"

/** Where a field's value stands on a page: CSS or XPath, and the attribute that is taken instead of the text. */
export type Selector =
  | { readonly _tag: "Css"; readonly css: string; readonly attribute: string | null }
  | { readonly _tag: "XPath"; readonly expression: XPathSyntax.Expression; readonly attribute: string | null }

/**
 * Reads a selector: XPath when it begins like a path (`/`, `./`, `..`, `(/`) or with `xpath=`, else CSS. `@name` after it takes an attribute; an `@` inside
 * an XPath, brackets or quotes is not meant. Left says what is wrong; whether CSS is right only shows on a page.
 */
export const parse = (text: string): Either.Either<Selector, string> => {
  const trimmed = text.trim()
  const engine = /^(css|xpath)\s*=/.exec(trimmed)
  const source = engine === null ? trimmed : trimmed.slice(engine[0].length).trim()
  return engine?.[1] === "xpath" || (engine === null && /^\(*(?:\.{0,2}\/|\.\.)/.test(source))
    ? parseXPath(source)
    : parseCss(source)
}

const attributeName = /^@\s*([A-Za-z_][\w:.-]*)$/

const parseXPath = (source: string): Either.Either<Selector, string> =>
  Either.flatMap(XPathSyntax.parse(source), ({ expression, rest }): Either.Either<Selector, string> => {
    if (rest === "") return Either.right({ _tag: "XPath", expression, attribute: null })
    const attribute = attributeName.exec(rest)?.[1]
    return attribute === undefined
      ? Either.left(`${JSON.stringify(CutText.cut(rest, 40))} is not understood in the XPath`)
      : Either.right({ _tag: "XPath", expression, attribute: attribute.toLowerCase() })
  })

const parseCss = (source: string): Either.Either<Selector, string> => {
  const at = lastAt(source)
  const attribute = at === -1 ? undefined : attributeName.exec(source.slice(at))?.[1]
  const css = attribute === undefined ? source : source.slice(0, at).trim()
  return css === ""
    ? Either.left("It names no element")
    : Either.right({ _tag: "Css", css, attribute: attribute?.toLowerCase() ?? null })
}

/** The last `@` outside of brackets and quotes; -1 without one. */
const lastAt = (source: string): number => {
  let found = -1
  let depth = 0
  let quote = ""
  for (let at = 0; at < source.length; at++) {
    const character = source[at] ?? ""
    if (character === "\\") at++
    else if (quote !== "") quote = character === quote ? "" : quote
    else if (character === '"' || character === "'") quote = character
    else if (character === "[" || character === "(") depth++
    else if (character === "]" || character === ")") depth--
    else if (character === "@" && depth === 0) found = at
  }
  return found
}

/** The trimmed value of the first match, null when it is empty, undefined without a match. Left says why the selector can't be used. */
export const select = (selector: Selector, document: DomDocument): Either.Either<string | null | undefined, string> =>
  selector._tag === "Css"
    ? Either.map(findCss(selector.css, document), (found) =>
        found === null ? undefined : valueOf(found, selector.attribute)
      )
    : Either.map(XPath.evaluate(selector.expression, document), (value) => {
        if (typeof value !== "object") return trimmed(XPath.textOf(value))
        const [first] = value
        if (first === undefined) return undefined
        return selector.attribute !== null && isElement(first)
          ? valueOf(first, selector.attribute)
          : trimmed(XPath.textOf(value))
      })

const findCss = (css: string, document: DomDocument): Either.Either<DomElement | null, string> =>
  Either.try({
    try: () => document.querySelector(css),
    catch: (cause) =>
      `The CSS is not understood (${cause instanceof Error ? cause.message : "unknown"}); pseudo-classes of browser drivers such as :has-text() are not supported`
  })

const valueOf = (element: DomElement, attribute: string | null): string | null =>
  trimmed(attribute === null ? element.textContent : element.getAttribute(attribute))

const trimmed = (value: string | null): string | null => (value === null || value === "" ? null : value.trim())
