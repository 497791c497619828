/**
 * The text of an `ST_Xstring`, in which characters that XML cannot hold are written `_x000D_`. `control` gives what a
 * control character is shown as.
 */
export const unescapeText = (text: string, control: (unit: number) => string = invisible): string =>
  text.includes("_x") ? unescaped(text, control) : text

/** As a break of a line, or nothing: for texts of drawings. */
export const asLineBreak = (unit: number): string => (unit === 0x0b || unit === 0x0d ? "\n" : "")

const unescaped = (text: string, control: (unit: number) => string): string =>
  text
    .replace(/_x([0-9A-Fa-f]{4})_/g, (_, code: string, at: number, whole: string) => {
      const unit = Number.parseInt(code, 16)
      if (unit >= 0x20 || unit === 0x09 || unit === 0x0a) return String.fromCharCode(unit)
      const endsLine = unit === 0x0d && /^(\n|_x000A_)/i.test(whole.slice(at + 7, at + 14))
      return endsLine ? "" : control(unit)
    })
    // Halves of a pair that stand alone are no characters.
    .replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, "\ufffd")

const invisible = (): string => ""
