/** The font that an element names for itself, the first of several; undefined where it takes that of the element around it. */
export const fontFamily = (name: string, attributes: Readonly<Record<string, string>>): string | undefined => {
  const named = attributes["style"] === undefined ? undefined : familyOf(attributes["style"].slice(0, longestStyle))
  return named ?? (name === "font" ? firstOf(attributes["face"]) : undefined)
}

const familyOf = (style: string): string | undefined => {
  let family: string | undefined
  for (const [, short, value = ""] of style.matchAll(declaration)) {
    // the shorthand ends in the family, behind the size
    family = firstOf(short === undefined ? value : value.replace(/^.*?[\d.](?:[a-z]{2,3}|%)(?:\s*\/\s*\S+)?\s+/i, ""))
  }
  return family
}

const declaration = /(?:^|;)\s*font(?:-family|())\s*:\s*([^;]*)/gi

const firstOf = (families: string | undefined): string | undefined =>
  families
    ?.split(",")[0]
    ?.replace(/["']|&quot;/g, "")
    .trim() || undefined

const longestStyle = 10_000
