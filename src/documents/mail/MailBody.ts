import { Buffer } from "node:buffer"
import type { HtmlPage } from "../html/HtmlReader.ts"
import { readHtml } from "../html/HtmlReader.ts"
import { declaredCharset } from "../html/HtmlDocument.ts"
import { decode, remarks } from "../text/Encoding.ts"
import type { Attachment, TextLimits, TextOptions } from "../text/TextDocument.ts"
import type { Warnings } from "../Warnings.ts"
import { calendarText } from "./Calendar.ts"
import { decodeWords, type DecodeBytes } from "./EncodedWords.ts"
import { enrichedText } from "./EnrichedText.ts"
import { unflowed } from "./FlowedText.ts"
import type { MimePart } from "./MimeTree.ts"

/** What is in a mail beside its headers. */
export interface MailBody {
  /** Blank where no part could be read as text. */
  readonly text: string
  readonly pages: ReadonlyArray<HtmlPage>
  readonly attachments: ReadonlyArray<Attachment>
}

export interface BodyReading {
  readonly options: TextOptions
  readonly limits: TextLimits
  readonly warnings: Warnings
  /** A mail within the mail; undefined where it lies too deep, and is an attachment then. */
  readonly forwarded: (bytes: Uint8Array) => Promise<MailBody | undefined>
}

/** Reads the parts of a mail. Rejects with `DocumentError`. */
export const readBody = async (root: MimePart, reading: BodyReading): Promise<MailBody> => {
  // the mail that a report is about is evidence, and no part of what it says
  const gathered = await gather(root, { ...reading, isReport: isReport(root), isRelated: false })
  if (gathered.text !== "") return gathered
  const [found] = gathered.substitutes.filter(({ text }) => text !== "")
  if (found !== undefined) return { ...gathered, text: found.text }
  reading.warnings.add(whyBlank(root))
  return gathered
}

/** What one part gives. */
interface Gathered extends MailBody {
  /** Texts that stand in where a mail has no other, the best first. */
  readonly substitutes: ReadonlyArray<{ readonly text: string }>
}

interface Context extends BodyReading {
  readonly isReport: boolean
  readonly isRelated: boolean
}

const nothing: Gathered = { text: "", pages: [], attachments: [], substitutes: [] }

const joined = (all: ReadonlyArray<Gathered>): Gathered => ({
  text: all
    .map(({ text }) => text)
    .filter((text) => text !== "")
    .join("\n\n"),
  pages: all.flatMap(({ pages }) => pages),
  attachments: all.flatMap(({ attachments }) => attachments),
  substitutes: all.flatMap(({ substitutes }) => substitutes)
})

const gather = async (part: MimePart, context: Context): Promise<Gathered> => {
  if (part.parts.length > 0) {
    const inner = { ...context, isRelated: context.isRelated || part.type === "multipart/related" }
    const found: Array<Gathered> = []
    for (const each of part.parts) found.push(await gather(each, inner))
    return part.type === "multipart/alternative" ? alternative(part, found, context.warnings) : joined(found)
  }
  const { content, type } = part
  if (content === undefined || type.startsWith("multipart/")) return nothing
  if (part.disposition === "attachment") return asAttachment(part, content, context)
  if (type === "message/rfc822") {
    const mail = context.isReport ? undefined : await context.forwarded(content)
    return mail === undefined ? asAttachment(part, content, context) : { ...nothing, ...mail }
  }
  if (type === "text/html") {
    const html = await textOf(part, content, context.warnings, declaredCharset(content))
    const page = readHtml(html, context.limits, context.warnings)
    return { ...nothing, text: page.text, pages: [page] }
  }
  if (type === "text/plain") return { ...nothing, text: await plainText(part, content, context.warnings) }
  const isNamed = part.filename !== undefined
  const read = isNamed ? undefined : markedUp.get(type)
  if (read !== undefined) return { ...nothing, text: read(await textOf(part, content, context.warnings)).trim() }
  const attached = await asAttachment(part, content, context)
  if (type !== "text/calendar" && type !== "application/ics" && (isNamed || !readableElsewhere.test(type)))
    return attached
  const text = await textOf(part, content, context.warnings)
  return {
    ...attached,
    substitutes: [
      { text: (type.startsWith("text/calendar") || type === "application/ics" ? calendarText(text) : text).trim() }
    ]
  }
}

/** Texts that people write in some markup, and what is read of them. */
const markedUp: ReadonlyMap<string, (text: string) => string> = new Map([
  ["text/markdown", (text: string) => text.replaceAll("\r\n", "\n")],
  ["text/x-markdown", (text: string) => text.replaceAll("\r\n", "\n")],
  ["text/enriched", enrichedText],
  ["text/richtext", enrichedText]
])

/** Kinds of text that no people write to each other: read only where a mail has nothing else. */
const readableElsewhere =
  /^(?:text\/(?!rtf|calendar)|message\/(?:delivery-status|disposition-notification)$|application\/(?:json|xml)$)/

// --- Alternatives ---

/** One content several times: its plain text, unless that says little of what the richer form says. */
const alternative = (part: MimePart, found: ReadonlyArray<Gathered>, warnings: Warnings): Gathered => {
  const all = joined(found)
  const isPlain = (index: number): boolean => part.parts[index]?.type === "text/plain"
  const plain = found.find(({ text }, index) => isPlain(index) && text !== "")?.text
  const rich = found.findLast(({ text }, index) => !isPlain(index) && text !== "")?.text
  if (plain === undefined || rich === undefined) return { ...all, text: plain ?? rich ?? "" }
  const missing = shareMissing(rich, plain)
  if (missing <= mostMissing) return { ...all, text: plain }
  if (shareMissing(plain, rich) <= mostMissing || (wordsOf(plain).length < fewestOwn && stub.test(plain))) {
    warnings.add("The plain text of the mail leaves out most of what its HTML says, which was read in its place")
    return { ...all, text: rich }
  }
  warnings.add("The plain text of the mail and its HTML differ, so both were read")
  return { ...all, text: `${plain}\n\n${rich}` }
}

const mostMissing = 0.5
/** A sentence or two that send readers elsewhere. */
const fewestOwn = 40
const stub = /html|browser|https?:/i

/** The share of the words of `text` that are not in `other`. */
const shareMissing = (text: string, other: string): number => {
  const words = wordsOf(text)
  if (words.length === 0) return 0
  const known = new Set(wordsOf(other))
  return words.filter((word) => !known.has(word)).length / words.length
}

/** Chinese and Japanese have no blanks between words. */
const wordsOf = (text: string): ReadonlyArray<string> =>
  text
    .slice(0, 1_000_000)
    .toLowerCase()
    .match(/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]|[\p{L}\p{N}]+/gu) ?? []

// --- Text of a part ---

const textOf = async (
  { parameters }: MimePart,
  content: Uint8Array,
  warnings: Warnings,
  declared?: string
): Promise<string> => {
  const decoded = await decode(content, { declared: [parameters["charset"], declared] })
  for (const remark of remarks(decoded)) warnings.add(remark)
  return decoded.text.replaceAll("\0", "")
}

const plainText = async (part: MimePart, content: Uint8Array, warnings: Warnings): Promise<string> => {
  const text = await textOf(part, content, warnings)
  const isFlowed = part.parameters["format"]?.trim().toLowerCase() === "flowed"
  const whole = isFlowed ? unflowed(text, part.parameters["delsp"]?.trim().toLowerCase() === "yes") : text
  return whole.replaceAll("\r\n", "\n").trim()
}

/** Decodes encoded words of headers, and tells what was a guess. */
export const wordDecoder =
  (warnings: Warnings): DecodeBytes =>
  async (bytes, charset) => {
    const decoded = await decode(bytes, { declared: [charset] })
    for (const remark of remarks(decoded)) warnings.add(remark)
    return decoded.text
  }

// --- What is no text ---

const asAttachment = async (part: MimePart, content: Uint8Array, context: Context): Promise<Gathered> => {
  const filename = part.filename === undefined ? null : await decodeWords(part.filename, wordDecoder(context.warnings))
  const attachment: Attachment = {
    filename: filename === null || filename === "" ? null : (filename.split(/[/\\]/).at(-1) ?? null),
    content_type: part.type,
    size_bytes: content.length,
    inline: (context.isRelated && part.hasContentId) || part.disposition === "inline",
    ...(context.options.extract_attachments && { data: Buffer.from(content).toString("base64") })
  }
  return { ...nothing, attachments: [attachment] }
}

const leavesOf = (part: MimePart): ReadonlyArray<MimePart> =>
  part.parts.length === 0 ? [part] : part.parts.flatMap(leavesOf)

const isReport = (root: MimePart): boolean =>
  leavesOf(root).some(({ type }) => type === "message/delivery-status" || type === "message/feedback-report")

const whyBlank = (root: MimePart): string => {
  const leaves = leavesOf(root)
  const unread = leaves.flatMap(({ filename = "", type }) => unreadable.find(({ is }) => is(type, filename)) ?? [])
  const [first] = unread
  if (first !== undefined) return `The mail has no text that could be read: ${first.why}`
  const [other] = leaves.filter(
    ({ content, type }) => content !== undefined && content.length > 0 && !type.startsWith("text/")
  )
  return other === undefined
    ? "The mail has no text"
    : `The mail has no text of its own, but ${other.type.slice(0, 100)}`
}

const unreadable: ReadonlyArray<{ readonly is: (type: string, filename: string) => boolean; readonly why: string }> = [
  {
    is: (type, filename) => type === "application/ms-tnef" || /^winmail\.dat$/i.test(filename),
    why: "it is in Outlook's own form (winmail.dat)"
  },
  {
    is: (type, filename) => /^application\/(?:x-)?pkcs7-mime$/.test(type) || /^smime\.p7m$/i.test(filename),
    why: "it is encrypted or sealed (S/MIME)"
  },
  { is: (type) => type === "application/pgp-encrypted", why: "it is encrypted (PGP)" },
  { is: (type) => /^(?:text|application)\/rtf$/.test(type), why: "it is rich text (RTF)" }
]
