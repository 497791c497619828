/**
 * Text of `format=flowed` (RFC 3676) with its paragraphs on one line each, also within quotes: a line that ends in a blank goes on in the next one of the same
 * depth. `delSp`: that blank is no part of the text.
 */
export const unflowed = (text: string, delSp: boolean): string => {
  const lines: Array<string> = []
  let open: { readonly depth: number; readonly pieces: Array<string> } | undefined
  const endParagraph = (): void => {
    if (open !== undefined)
      lines.push(`${">".repeat(open.depth)}${open.depth > 0 ? " " : ""}${open.pieces.join("")}`.trimEnd())
    open = undefined
  }
  for (const line of text.split(/\r?\n/)) {
    const depth = /^>*/.exec(line)?.[0].length ?? 0
    const content = line.slice(depth).replace(/^ /, "")
    const isSignature = content === "-- "
    if (open !== undefined && (open.depth !== depth || isSignature)) endParagraph()
    if (isSignature) {
      lines.push(line)
      continue
    }
    const flows = content.endsWith(" ")
    open ??= { depth, pieces: [] }
    open.pieces.push(flows && delSp ? content.slice(0, -1) : content)
    if (!flows) endParagraph()
  }
  endParagraph()
  return lines.join("\n")
}
