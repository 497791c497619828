import { defaults } from "../Limits.ts"
import { scanXml } from "../xml/XmlScanner.ts"

/** The words of formatted text as annotations and fields keep it, a small XHTML; each paragraph on a line. */
export const richText = (source: string): string => {
  if (!source.trimStart().startsWith("<")) return source
  const lines = [""]
  const add = (text: string): void => {
    lines[lines.length - 1] += text.replace(/\s*[\n\r]\s*/g, " ")
  }
  const open = (name: string): void => {
    if (blocks.has(localName(name)) && lines.at(-1)?.trim() !== "") lines.push("")
  }
  try {
    scanXml(new TextEncoder().encode(source), "RC", defaults, { open, text: add, close: open })
  } catch {
    return source
      .replace(/<(?:\/p|br\s*\/?)>/gi, "\n")
      .replace(/<[^<>]*>/g, "")
      .trim()
  }
  return lines
    .map((line) => line.trim())
    .join("\n")
    .trim()
}

const localName = (name: string): string => name.slice(name.lastIndexOf(":") + 1)

const blocks = new Set(["p", "div", "li", "br"])
