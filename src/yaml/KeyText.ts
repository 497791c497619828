import type { YamlKey } from "./YamlNode.ts"

/** What Python's `str()` makes of a key. */
export const pythonText = (key: YamlKey): string => {
  switch (key.kind) {
    case "null":
      return "None"
    case "bool":
      return key.value ? "True" : "False"
    case "int":
      return String(key.value)
    case "float":
      return floatText(key.value)
    case "binary":
      return bytesText(key.value)
    case "datetime":
      return key.value.replace("T", " ")
    default:
      return key.value
  }
}

/** Python writes whole numbers with ".0" and turns to exponents from 1e16 on and below 1e-4. */
const floatText = (value: number): string => {
  if (Number.isNaN(value)) return "nan"
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf"
  if (value === 0) return Object.is(value, -0) ? "-0.0" : "0.0"
  const magnitude = Math.abs(value)
  if (magnitude < 1e-4 || magnitude >= 1e16) {
    return value.toExponential().replace(/e([-+])(\d)$/, "e$10$2")
  }
  const text = String(value)
  return text.includes(".") ? text : `${text}.0`
}

const bytesText = (bytes: Uint8Array): string => {
  const quote = bytes.includes(0x27) && !bytes.includes(0x22) ? '"' : "'"
  const named: Record<number, string> = { 0x09: "\\t", 0x0a: "\\n", 0x0d: "\\r", 0x5c: "\\\\" }
  const byteText = (byte: number): string => {
    const ch = String.fromCharCode(byte)
    if (ch === quote) return `\\${ch}`
    return named[byte] ?? (byte >= 0x20 && byte < 0x7f ? ch : `\\x${byte.toString(16).padStart(2, "0")}`)
  }
  return `b${quote}${Array.from(bytes, byteText).join("")}${quote}`
}
