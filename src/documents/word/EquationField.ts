import { applied, bar, base, gap, isBracketed, marked, quotient, radical, script } from "../drawing/LinearFormula.ts"

/** What Word draws for the code of an EQ field, on one line: `\f(1,2)` is `1/2`. Such a field is stored without a result. */
export const equationText = (code: string): string => {
  const isRuby = /\\\*\s*hps/i.test(code)
  // A list separator of the country, which leaves the comma to decimals.
  const usesSemicolons = [...signs(code, 0)].some(({ level, sign }) => level > 0 && sign === ";")

  const read = (source: string, depth: number): string => {
    let text = ""
    let isApart = false
    const append = (next: string, isLayout: boolean): void => {
      if (next === "") return
      text += isApart || isLayout ? gap(text, next) + next : next
      isApart = isLayout
    }
    for (let at = 0; at < source.length;) {
      const format = matchAt(formatSwitch, source, at)
      const layout = depth < maxDepth ? matchAt(layoutSwitch, source, at) : undefined
      if (format !== undefined) at += format[0].length
      else if (layout !== undefined) {
        const [all, letter = "", options = ""] = layout
        const group = groupAt(source, at + all.length, letter)
        const elements = group.elements.map((element) => ({ source: element, text: read(element, depth + 1) }))
        append(layoutOf(letter, { elements, options, separator: group.separator }), true)
        at = group.end
      } else {
        const isEscaped = source[at] === "\\" && at + 1 < source.length
        append(source[isEscaped ? at + 1 : at] ?? "", false)
        at += isEscaped ? 2 : 1
      }
    }
    return text.trim()
  }

  /** The elements in the brackets that open here. */
  const groupAt = (source: string, from: number, letter: string) => {
    const own: Array<Sign> = []
    let end = source.length
    for (const found of signs(source, from)) {
      if (found.level === 1 && (found.sign === "," || found.sign === ";")) own.push(found)
      if (found.level > 0) continue
      end = found.at
      break
    }
    const isFraction = letter.toLowerCase() === "f"
    const separator = own.some(({ sign }) => sign === ";") || (usesSemicolons && !isFraction) ? ";" : ","
    const cuts = own.filter(({ sign }) => sign === separator).map(({ at }) => at)
    const elements = [from, ...cuts].map((cut, index) => source.slice(cut + 1, cuts[index] ?? end))
    return { elements, separator, end: end + 1 }
  }

  const layoutOf = (letter: string, group: Group): string => {
    const texts = group.elements.map(({ text }) => text)
    const [first = "", second] = texts
    switch (letter.toLowerCase()) {
      case "a":
        return array(texts, Number(/\\co\s*(\d+)/i.exec(group.options)?.[1] ?? 1))
      case "b":
        return bracketed(group)
      case "d":
        return " "
      case "f":
        return quotient(first, second ?? "")
      case "i":
        return integral(texts, group.options)
      case "l":
        return texts.join(group.separator)
      case "o":
        // The reading of a word stands above it; the word comes last.
        return isRuby ? (texts.at(-1) ?? "") : overstruck(texts)
      case "r":
        return second === undefined ? radical("", first) : radical(first, second)
      case "s":
        return raised(texts, group.options)
      default:
        return boxed(first, group.options)
    }
  }

  return read(code, 0)
}

interface Group {
  readonly elements: ReadonlyArray<{ readonly source: string; readonly text: string }>
  readonly options: string
  readonly separator: string
}

const array = (texts: ReadonlyArray<string>, columns: number): string => {
  const width = Math.max(1, columns)
  const rows = Array.from({ length: Math.ceil(texts.length / width) }, (_, row) =>
    texts.slice(row * width, (row + 1) * width).join(", ")
  )
  return `[${rows.join("; ")}]`
}

const bracketed = ({ elements: [element], options }: Group): string => {
  const content = element?.text ?? ""
  // The brackets around an array are its own.
  const isArray = /^\s*\\a/i.test(element?.source ?? "") && isBracketed(content)
  const sign = (side: string) => new RegExp(`\\\\${side}c\\\\(.)`, "iu").exec(options)?.[1]
  const [left, right, both] = [sign("l"), sign("r"), sign("b")]
  const isPlain = left === undefined && right === undefined
  const opening = left ?? both ?? (isPlain ? "(" : "")
  const closing = right ?? (both === undefined ? (isPlain ? ")" : "") : (closers.get(both) ?? both))
  return opening + (isArray ? content.slice(1, -1) : content) + closing
}

const closers = new Map([
  ["(", ")"],
  ["[", "]"],
  ["{", "}"],
  ["<", ">"]
])

const integral = ([lower = "", upper = "", body = ""]: ReadonlyArray<string>, options: string): string => {
  const named = /\\[fv]c\\(.)/iu.exec(options)?.[1]
  const sign = named ?? (/\\su/i.test(options) ? "∑" : /\\pr/i.test(options) ? "∏" : "∫")
  return applied(sign + script("_", lower) + script("^", upper), body)
}

const overstruck = (texts: ReadonlyArray<string>): string => {
  const accent = texts.map((text) => accents.get(text)).find((found) => found !== undefined)
  const rest = texts.filter((text) => !accents.has(text))
  return accent === undefined || rest.length !== 1 ? texts.join("") : marked(rest[0] ?? "", accent)
}

/** What people lay over a letter to give it an accent, a stroke or a circle. */
const accents = new Map([
  ["/", "\u0338"],
  ["-", "\u0335"],
  ["¯", "\u0305"],
  ["ˉ", "\u0305"],
  ["^", "\u0302"],
  ["~", "\u0303"],
  ["→", "\u20d7"],
  ["○", "\u20dd"],
  ["□", "\u20de"],
  ["◇", "\u20df"],
  ["△", "\u20e4"]
])

const raised = ([first = "", ...others]: ReadonlyArray<string>, options: string): string => {
  if (/\\do/i.test(options)) return script("_", first) + others.join("")
  if (!/\\up/i.test(options) && options !== "") return base(first)
  return script("^", first) + script("_", others.join(", "))
}

const boxed = (content: string, options: string): string => {
  const lines = new Set(options.toLowerCase().match(/\\(?:to|bo|le|ri)/g))
  return lines.size === 1 && (lines.has("\\to") || lines.has("\\bo")) ? bar(content, lines.has("\\to")) : content
}

// --- Signs of the code ---

interface Sign {
  readonly at: number
  readonly sign: string
  /** How many brackets are open behind an opening one, or around any other. */
  readonly level: number
}

/** The brackets and separators that no backslash makes characters. */
function* signs(source: string, from: number): Generator<Sign> {
  let level = 0
  for (let at = from; at < source.length; at++) {
    const sign = source.charAt(at)
    if (sign === "\\") at++
    else if (sign === "(") yield { at, sign, level: ++level }
    else if (sign === ")") yield { at, sign, level: (level = Math.max(0, level - 1)) }
    else if (sign === "," || sign === ";") yield { at, sign, level }
  }
}

const matchAt = (expression: RegExp, source: string, at: number): RegExpExecArray | undefined => {
  expression.lastIndex = at
  return expression.exec(source) ?? undefined
}

/** A layout, its options, and the bracket that opens behind them. */
const layoutSwitch = /\\([abdfilorsx])((?:\s*\\(?:[lrbfv]c\\.|[a-z]{2}(?:\s*-?\d+)?))*)\s*(?=\()/isuy
/** How the whole field looks, as `\* jc2` and `\* "Font:…"`. */
const formatSwitch = /\\\*\s*(?:"[^"]*"|\S+)\s*/y
const maxDepth = 64
