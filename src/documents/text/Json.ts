import * as CutText from "../../text/CutText.ts"
import * as ExactJson from "../../domain/ExactJson.ts"
import { damaged, limitExceeded } from "../DocumentError.ts"
import type { TextLimits } from "./TextDocument.ts"

/** What a JSON text says. */
export interface Json {
  readonly value: unknown
  /** One value a line (JSON Lines). */
  readonly lines: boolean
}

/** Parses a JSON text or JSON Lines. Undefined when it is neither. Throws `DocumentError` when it is nested too deeply. */
export const parseJson = (text: string, limits: TextLimits): Json | undefined => {
  checkDepth(text, limits.depth)
  const whole = parse(text)
  if (whole !== undefined) return { value: whole.value, lines: false }
  const lines = text.split("\n").filter((line) => line.trim() !== "")
  if (lines.length < 2) return undefined
  const values: Array<unknown> = []
  for (const line of lines) {
    const parsed = parse(line)
    // words and numbers are JSON too, but a list of those is no document
    if (parsed === undefined || typeof parsed.value !== "object" || parsed.value === null) return undefined
    values.push(parsed.value)
  }
  return { value: values, lines: true }
}

/** The same, for a document that must be JSON. */
export const requireJson = (text: string, limits: TextLimits): Json => {
  const json = parseJson(text, limits)
  if (json === undefined) throw damaged(`The document is not valid JSON: ${mistake(text)}`)
  return json
}

const parse = (text: string): { readonly value: unknown } | undefined => {
  try {
    return { value: ExactJson.parse(text) }
  } catch {
    return undefined
  }
}

const mistake = (text: string): string => {
  try {
    ExactJson.parse(text)
    return ""
  } catch (error) {
    return error instanceof Error ? CutText.cut(error.message, 300) : String(error)
  }
}

/** Brackets outside of strings, counted before anything recursive sees them. */
const checkDepth = (text: string, most: number): void => {
  let depth = 0
  let inString = false
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    if (inString) {
      if (unit === 0x5c) index++
      else if (unit === 0x22 || unit === 0x0a) inString = false
    } else if (unit === 0x22) inString = true
    else if (unit === 0x7b || unit === 0x5b) {
      depth++
      if (depth > most) throw limitExceeded("depth", `The JSON document is nested more than ${most} deep`)
    } else if ((unit === 0x7d || unit === 0x5d) && depth > 0) depth--
  }
}
