/** Whether an element and all in it are kept from readers by what its own tag says: `hidden`, an inline style, a dialog that is not open. */
export const isHidden = (name: string, attributes: Readonly<Record<string, string>>): boolean => {
  // searching the page or following a link shows these
  if (attributes["hidden"] !== undefined && attributes["hidden"].trim().toLowerCase() !== "until-found") return true
  if (name === "dialog" && attributes["open"] === undefined) return true
  if (name === "input" && attributes["type"]?.trim().toLowerCase() === "hidden") return true
  // MediaWiki hides the words of what it draws as a picture
  if (attributes["class"]?.includes("mwe-math-mathml") === true) return false
  const { style } = attributes
  return style !== undefined && style.length <= longestStyle && hidesByStyle(style)
}

const longestStyle = 10_000

const hidesByStyle = (style: string): boolean => {
  const declarations = new Map<string, string>()
  for (const declaration of style.replace(/\/\*.*?\*\//gs, "").split(";")) {
    const colon = declaration.indexOf(":")
    if (colon === -1) continue
    const property = declaration.slice(0, colon).trim().toLowerCase()
    const value = declaration
      .slice(colon + 1)
      .replace(/!\s*important/i, "")
      .trim()
      .toLowerCase()
    declarations.set(property, value)
  }
  const has = (property: string, value: RegExp): boolean => value.test(declarations.get(property) ?? "")
  return (
    has("display", /^none$/) ||
    has("visibility", /^(?:hidden|collapse)$/) ||
    has("mso-hide", /^all$/) ||
    has("content-visibility", /^hidden$/) ||
    (has("opacity", zero) &&
      (has("overflow", /^hidden$/) ||
        has("height", zero) ||
        has("max-height", zero) ||
        has("font-size", nearlyZero))) ||
    (has("overflow", /^hidden$/) && (has("max-height", zero) || has("height", zero)))
  )
}

const zero = /^0*\.?0+(?:px|em|rem|pt|%)?$/
const nearlyZero = /^(?:0*\.?0+|1)(?:px|em|rem|pt|%)?$/
