import { isSpaceAt, skipSpace, trimEnd } from "./PythonText.ts"

/** `text.strip()`: without Python's white space at both ends. */
export const strip = (text: string): string => {
  if (!isSpaceAt(text, 0) && !isSpaceAt(text, text.length - 1)) return text
  const end = trimEnd(text)
  return end.slice(skipSpace(end, 0))
}

/** `text[:count]`: the first Unicode characters, none cut in half. */
export const firstCharacters = (text: string, count: number): string => {
  if (text.length <= count) return text
  let end = 0
  for (let left = count; left > 0 && end < text.length; left--) end += (text.codePointAt(end) ?? 0) > 0xffff ? 2 : 1
  return text.slice(0, end)
}
