import { floatOf } from "../../../python/PythonNumber.ts"

/** How texts are read as numbers besides Python's own way: `1,234.5` and `$1,234.50`, or `1.234,5` and `1.234,50 €`. */
export const styles = ["plain", "comma_thousands", "point_thousands"] as const

type Style = (typeof styles)[number]

/** The finite number that a value stands for, or undefined; booleans are 1 and 0, as in Python. */
export const numberOf = (value: unknown, style: Style): number | undefined => {
  const number =
    typeof value === "number"
      ? value
      : typeof value === "boolean" || typeof value === "bigint"
        ? Number(value)
        : typeof value === "string"
          ? fromText(value, style)
          : undefined
  return number !== undefined && Number.isFinite(number) ? number : undefined
}

const fromText = (text: string, style: Style): number | undefined => {
  const plain = floatOf(text)
  // `1.234` is a Python number, and a thousand in the other style.
  if (style === "plain" || text.length > 100 || (plain !== undefined && style === "comma_thousands")) return plain
  const bare = text.replaceAll(/[\p{Sc}\s'’]/gu, "")
  const inBrackets = /^\((.*)\)$/.exec(bare)
  const written = inBrackets === null ? bare : `-${inBrackets[1] ?? ""}`
  const western =
    style === "comma_thousands" ? written : written.replaceAll(/[.,]/g, (mark) => (mark === "." ? "," : "."))
  return /^[+-]?(?:\d+|\d{1,3}(?:,\d{3})+)(?:\.\d+)?$/.test(western) ? Number(western.replaceAll(",", "")) : undefined
}
