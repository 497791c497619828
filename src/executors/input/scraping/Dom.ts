import { parseHTML } from "linkedom"
import { type DomDocument, type DomElement, isElement } from "../../../xpath/DomNode.ts"

/** A page as a tree with `html`, `head` and `body`, which authors may leave out. No script runs and nothing is fetched. */
export const parsePage = (html: string): DomDocument => {
  const document = treeOf(html)
  const complete = isElement(document.documentElement, "html")
    ? document
    : treeOf(`<html>${withoutDoctype(html)}</html>`)
  const root = complete.documentElement
  if (root !== null) addHeadAndBody(complete, root)
  for (const element of complete.querySelectorAll("*")) lowerAttributes(element)
  return complete
}

/** By name, since linkedom describes its result as the global object, which has no document on every runtime. */
const treeOf = (html: string): DomDocument => Reflect.get(parseHTML(html), "document")

const withoutDoctype = (html: string): string => html.replace(/^\s*(<\?xml[^>]*>\s*)?<!doctype[^>]*>/i, "")

/** Elements that stand in the head when nothing says where it ends (HTML 13.2.6.4.4). */
const ofHead = new Set(["base", "link", "meta", "noscript", "script", "style", "template", "title"])

const addHeadAndBody = (document: DomDocument, root: DomElement): void => {
  const children = [...root.childNodes]
  if (children.some((child) => isElement(child, "body") || isElement(child, "frameset"))) return
  const head = children.find((child) => isElement(child, "head")) ?? document.createElement("head")
  const body = document.createElement("body")
  const rest = children.filter((child) => child !== head)
  const start = rest.findIndex((child) =>
    isElement(child) ? !ofHead.has(child.localName) : child.nodeType === 3 && (child.textContent ?? "").trim() !== ""
  )
  const bodyFrom = start === -1 ? rest.length : start
  if (isElement(head)) head.append(...rest.slice(0, bodyFrom))
  body.append(...rest.slice(bodyFrom))
  root.append(head, body)
}

/** The parser keeps names of attributes as they are written, which selectors do not match. */
const lowerAttributes = (element: DomElement): void => {
  const written = Array.from(element.attributes)
  for (const { name, value } of written) {
    const lower = name.toLowerCase()
    if (lower === name) continue
    element.removeAttribute(name)
    if (element.getAttribute(lower) === null) element.setAttribute(lower, value)
  }
}
