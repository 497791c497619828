/** The layouts of a formula on one line, as people write them where there are only characters. */

export const quotient = (numerator: string, denominator: string, between = "/"): string =>
  numerator === "" && denominator === "" ? "" : grouped(numerator) + between + grouped(denominator)

export const radical = (degree: string, radicand: string): string => {
  if (degree === "" && radicand === "") return ""
  const sign = roots.get(degree.trim())
  return sign === undefined ? `√(${degree}&${radicand})` : sign + grouped(radicand)
}

export const bar = (content: string, above: boolean): string =>
  isSingle(content) ? content + (above ? "\u0305" : "\u0332") : `${above ? "¯" : "▁"}(${content})`

/** An accent stands behind its letter. */
export const marked = (content: string, accent: string): string =>
  content === "" ? "" : isSingle(content) ? content + accent : `(${content})${accent}`

export const applied = (operator: string, operand: string): string =>
  operand === "" || /^[([{|]/.test(operand) ? operator + operand : `${operator} ${operand}`

export const script = (mark: "^" | "_", content: string): string =>
  content === "" ? "" : mark + (/^[-−+]?\d+([.,]\d+)?$/.test(content) ? content : grouped(content))

export const base = (content: string): string => (content === "" ? "" : grouped(content))

/** A blank where two neighbours would run into one number or word. */
export const gap = (before: string, after: string): string =>
  /[\p{L}\p{M}\p{N}]$/u.test(before.slice(-2)) && /^[\p{L}\p{N}]/u.test(after) ? " " : ""

/** A number that stands above or below the line right behind another one is no part of that: 10^6 is not 106. */
export const raised = (mark: "^" | "_", before: string, after: string): string =>
  /\d$/.test(before.slice(-1)) && /^[-−–+]?\d/.test(after) ? mark + after : after

/** In brackets, unless it is one number, word or sign, or has brackets already. */
export const grouped = (content: string): string =>
  isSimple(content) || isBracketed(content) ? content : `(${content})`

const roots = new Map([
  ["", "√"],
  ["2", "√"],
  ["3", "∛"],
  ["4", "∜"]
])

const isSimple = (content: string): boolean => /^(\d+([.,\u00a0\u202f]\d+)*|[\p{L}\p{M}′″']*|\P{L})$/u.test(content)

const isSingle = (content: string): boolean => /^.\p{M}*$/u.test(content)

export const isBracketed = (content: string): boolean => {
  const closing = brackets.get(content.charAt(0))
  if (closing === undefined || !content.endsWith(closing)) return false
  let depth = 0
  for (let at = 0; at < content.length - 1; at++) {
    if (brackets.has(content.charAt(at))) depth++
    else if (closers.has(content.charAt(at))) depth--
    if (depth === 0) return false
  }
  return true
}

const brackets = new Map([
  ["(", ")"],
  ["[", "]"],
  ["{", "}"]
])
const closers = new Set(brackets.values())
