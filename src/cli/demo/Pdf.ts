/** A PDF file with these pages of lines, in Latin-1, as plainly as the format allows (ISO 32000-1, 7.5). */
export const writePdf = (title: string, pages: ReadonlyArray<ReadonlyArray<string>>): Uint8Array => {
  const bodies = [
    "<</Type/Catalog/Pages 2 0 R>>",
    `<</Type/Pages/Kids[${pages.map((_, index) => `${firstPage + 2 * index} 0 R`).join(" ")}]/Count ${pages.length}>>`,
    "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
    `<</Title(${escaped(title)})>>`,
    ...pages.flatMap((lines, index) => [
      `<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F1 3 0 R>>>>/Contents ${firstPage + 2 * index + 1} 0 R>>`,
      streamOf(lines)
    ])
  ]
  let file = "%PDF-1.4\n"
  const offsets = bodies.map((body, index) => {
    const offset = file.length
    file += `${index + 1} 0 obj\n${body}\nendobj\n`
    return offset
  })
  const entries = offsets.map((offset) => `${String(offset).padStart(10, "0")} 00000 n \n`).join("")
  const size = bodies.length + 1
  return Buffer.from(
    `${file}xref\n0 ${size}\n0000000000 65535 f \n${entries}` +
      `trailer\n<</Size ${size}/Root 1 0 R/Info 4 0 R>>\nstartxref\n${file.length}\n%%EOF\n`,
    "latin1"
  )
}

/** The number of the first page's object: catalog, page tree, font and title come before it. */
const firstPage = 5

const streamOf = (lines: ReadonlyArray<string>): string => {
  const content = `BT /F1 11 Tf 15 TL 60 780 Td ${lines.map((line) => `(${escaped(line)}) Tj T*`).join(" ")} ET`
  return `<</Length ${content.length}>>\nstream\n${content}\nendstream`
}

const escaped = (text: string): string => text.replaceAll(/[\\()]/g, String.raw`\$&`)
