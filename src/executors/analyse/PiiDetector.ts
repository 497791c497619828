import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Settings from "../../executor/Settings.ts"
import type { CleanText } from "./model/CleanText.ts"
import * as ModelSettings from "./model/ModelSettings.ts"
import * as Occurrences from "./model/Occurrences.ts"
import * as TextNode from "./model/TextNode.ts"
import * as Detectors from "./pii/Detectors.ts"

const settings = {
  ...ModelSettings.text({ outputField: "pii_detected", temperature: 0.2, maxTokens: 400 }),
  pii_types: Settings.list({
    description:
      "What to look for: a list, or a text with commas. email, phone, ssn, credit_card, ip_address and bank_account are also found by their form and checksums, without the model; further words are told to the model.",
    default: ["name", "email", "phone", "ssn", "credit_card", "address"]
  }),
  action: Settings.choice(["detect", "redact", "mask", "label"], {
    description:
      "detect only lists. redact puts [REDACTED-TYPE] in place of what was found, mask puts ***, label puts <PII-TYPE> around it.",
    default: "detect"
  }),
  include_positions: Settings.boolean({
    description: "Add start and end of each in the text, in UTF-16 units, end exclusive.",
    default: true
  }),
  confidence_threshold: Settings.number({
    description: "What is less sure is not given and not replaced.",
    default: 0.7,
    min: 0,
    max: 1
  }),
  custom_patterns: Settings.list({
    description: "Descriptions of further things to look for; they get the type custom.",
    default: []
  }),
  redacted_field: Settings.string({
    description:
      "Key of data for the text after redact, mask or label; with a list in input_field a key in its elements.",
    default: "text_redacted"
  }),
  replace_input: Settings.boolean({
    description:
      "After redact or mask: put the changed text in place of the original, and leave out the values that were found. An item whose detection fails then loses its text, too.",
    default: false
  })
}

type Decoded = Settings.TypeOf<typeof settings>

/** Characters that parts of a long text share, so that nothing is cut. */
const overlap = 300

/**
 * `pii_detector`: what the model finds must occur in the text, and is found there at all its places; positions and replacements are made here.
 * An item whose detection fails has no text that looks cleaned.
 */
export const executor = TextNode.define({
  type: "pii_detector",
  aliases: ["pii_detector_executor"],
  name: "PII Detector",
  description: "Finds personal data in each text, and lists, redacts, masks or labels it.",
  settings,
  check: ({ action, replace_input }) =>
    replace_input && (action === "detect" || action === "label")
      ? [{ path: ["replace_input"], message: "The setting replace_input needs the action redact or mask." }]
      : [],
  work: (given) => {
    const types = [...new Set([...given.pii_types, ...(given.custom_patterns.length > 0 ? ["custom"] : [])])]
    const schema = Schema.Struct({
      found: Schema.Array(
        Schema.Struct({ type: Schema.Literal(...types), value: Schema.String, confidence: Schema.Number })
      )
    })
    const instructions = instructionsOf(given, types)
    return {
      settings: given,
      onFailure: (fields) => ({ removed: [fields.key, given.redacted_field], withoutText: given.replace_input }),
      work: (asking, clean, original) =>
        Effect.gen(function* () {
          const answers = yield* asking.parts(clean.text, overlap, (part) =>
            Effect.map(asking.json({ instructions, text: part.text }, { name: "pii", schema }), ({ found }) => found)
          )
          const said = answers.flat()
          const places = yield* Occurrences.ofAll(
            clean.text,
            said.map(({ value }) => value)
          )
          const found = merged([
            ...(yield* Detectors.detect(original, given.pii_types)),
            ...said.flatMap((each) => placesOf(clean, places.get(each.value.trim()) ?? [], each))
          ]).filter(({ confidence }) => confidence >= given.confidence_threshold)
          return resultOf(given, original, found)
        })
    }
  }
})

const placesOf = (
  clean: CleanText,
  places: ReadonlyArray<Occurrences.Span>,
  { confidence, type }: { readonly type: string; readonly confidence: number }
): ReadonlyArray<Detectors.Found> =>
  places.map(({ end, start }) => ({
    type,
    confidence: Math.min(1, Math.max(0, confidence)),
    start: clean.originalAt(start),
    end: clean.originalAt(end - 1) + 1
  }))

/** Without overlaps: of two that overlap, the surer one gives the type, and both are covered. */
const merged = (found: ReadonlyArray<Detectors.Found>): ReadonlyArray<Detectors.Found> => {
  const inOrder = [...found].sort((a, b) => a.start - b.start || b.end - a.end)
  const result: Array<Detectors.Found> = []
  for (const next of inOrder) {
    const last = result.at(-1)
    if (last === undefined || next.start >= last.end) {
      result.push(next)
      continue
    }
    const surer = next.confidence > last.confidence ? next : last
    result[result.length - 1] = {
      type: surer.type,
      confidence: surer.confidence,
      start: last.start,
      end: Math.max(last.end, next.end)
    }
  }
  return result
}

const textKeys = { redact: "redacted_text", mask: "masked_text", label: "labeled_text" } as const

const resultOf = (given: Decoded, original: string, found: ReadonlyArray<Detectors.Found>): TextNode.Result => {
  const list = found.map(({ confidence, end, start, type }) => ({
    type,
    ...(given.replace_input ? {} : { value: original.slice(start, end) }),
    ...(given.include_positions ? { position: { start, end } } : {}),
    confidence
  }))
  const counts = { pii_count: found.length }
  if (given.action === "detect") return { value: { pii_found: list, count: found.length }, counts }
  const text = replaced(given.action, original, found)
  return {
    value: { pii_found: list, count: found.length, [textKeys[given.action]]: text },
    beside: { [given.redacted_field]: text },
    counts,
    ...(given.replace_input ? { text } : {})
  }
}

const replaced = (
  action: "redact" | "mask" | "label",
  original: string,
  found: ReadonlyArray<Detectors.Found>
): string => {
  const pieces: Array<string> = []
  let at = 0
  for (const { end, start, type } of found) {
    const name = type.toUpperCase().replaceAll(/\s+/g, "_")
    const value = original.slice(start, end)
    pieces.push(
      original.slice(at, start),
      action === "redact" ? `[REDACTED-${name}]` : action === "mask" ? "***" : `<PII-${name}>${value}</PII-${name}>`
    )
    at = end
  }
  return [...pieces, original.slice(at)].join("")
}

const descriptions: Readonly<Record<string, string>> = {
  name: "names of persons",
  email: "e-mail addresses",
  phone: "telephone and fax numbers",
  ssn: "social security numbers and national identification numbers",
  credit_card: "numbers of credit and debit cards",
  address: "postal addresses",
  date_of_birth: "dates of birth",
  passport: "passport numbers",
  license: "numbers of driving and other licences",
  ip_address: "IP addresses",
  bank_account: "bank account numbers and IBANs"
}

const instructionsOf = (given: Decoded, types: ReadonlyArray<string>): string =>
  [
    "Find personal data in the document. Types:",
    ...types.filter((type) => type !== "custom").map((type) => `- ${type}: ${descriptions[type] ?? type}`),
    ...given.custom_patterns.map((pattern) => `- custom: ${pattern}`),
    "Give each value exactly as it is written in the document, whole, with its type and a confidence from 0 to 1. Give every different spelling. Without personal data the list is empty."
  ].join("\n")
