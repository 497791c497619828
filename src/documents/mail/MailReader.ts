import { addressParser } from "postal-mime"
import { Buffer } from "node:buffer"
import { damaged, limitExceeded } from "../DocumentError.ts"
import { makeCollector } from "../html/HtmlReader.ts"
import { decode, remarks } from "../text/Encoding.ts"
import type { Attachment, Heading, Link, TextDocument, TextLimits, TextOptions } from "../text/TextDocument.ts"
import type { Warnings } from "../Warnings.ts"
import { decodeWords, inOneEncoding } from "./EncodedWords.ts"
import { type MailBody, readBody, wordDecoder } from "./MailBody.ts"
import { mailDate } from "./MailDate.ts"
import { type MimeHeader, type MimePart, parseMime } from "./MimeTree.ts"

type Address = ReturnType<typeof addressParser>[number]

/** Reads a mail as RFC 5322 and MIME have it. Rejects with `DocumentError`. */
export const readMail = async (
  bytes: Uint8Array,
  options: TextOptions,
  limits: TextLimits,
  warnings: Warnings
): Promise<Omit<TextDocument, "type" | "encoding" | "warnings">> => {
  const source = withoutEnvelope(withoutMark(bytes), warnings)
  const { body, properties } = await readMessage(source, options, limits, warnings, 0)
  if (body.text.length > limits.textLength) {
    throw limitExceeded("textLength", `The mail has more than ${limits.textLength} characters of text`)
  }
  const headings = makeCollector<Heading>("headings", limits.entries, warnings)
  const links = makeCollector<Link>("links", limits.entries, warnings)
  for (const page of body.pages) {
    for (const heading of page.headings) headings.add(heading)
    for (const link of page.links) links.add(link)
  }
  const attachments = makeCollector<Attachment>("attachments", limits.entries, warnings)
  for (const attachment of body.attachments) attachments.add(attachment)
  const tables = body.pages.flatMap((page) => page.tables)
  return {
    text: options.mail_headers
      ? [headerLines(properties), body.text].filter((part) => part !== "").join("\n\n")
      : body.text,
    ...(body.text === "" && { headers_only: true }),
    properties: { ...properties, attachment_count: body.attachments.length },
    ...(options.extract_headings && { headings: headings.list }),
    ...(options.extract_links && { links: links.list }),
    ...(options.extract_tables && { tables: tables.map((table, index) => ({ ...table, table_number: index + 1 })) }),
    attachments: attachments.list
  }
}

interface Message {
  readonly body: MailBody
  readonly properties: MailProperties
}

/** Each mail in a mail is parsed again with all that is in it; one that lies deeper is an attachment. */
const forwardedDepth = 5

const readMessage = async (
  bytes: Uint8Array,
  options: TextOptions,
  limits: TextLimits,
  warnings: Warnings,
  depth: number
): Promise<Message> => {
  const root = await parseMime(await inUtf8(bytes, warnings), limits)
  if (root.headers.length === 0 && depth === 0) throw damaged("The document has no header, as a mail must have")
  const forwarded = async (content: Uint8Array): Promise<MailBody | undefined> => {
    if (depth >= forwardedDepth) {
      warnings.add(`Mails that are forwarded more than ${forwardedDepth} deep are listed as attachments`)
      return undefined
    }
    const { body, properties } = await readMessage(content, options, limits, warnings, depth + 1)
    const lines = headerLines(properties)
    return { ...body, text: [`${rule}\n${lines}`, body.text].filter((part) => part !== "").join("\n\n") }
  }
  const properties = await propertiesOf(root, warnings)
  return { body: await readBody(root, { options, limits, warnings, forwarded }), properties }
}

const rule = "-".repeat(20)

/** A byte order mark would be part of the first header's name. */
const withoutMark = (bytes: Uint8Array): Uint8Array =>
  bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes

/** The `From ` line that mail boxes (mbox) put before each mail. */
const withoutEnvelope = (bytes: Uint8Array, warnings: Warnings): Uint8Array => {
  const starts = [0x46, 0x72, 0x6f, 0x6d, 0x20].every((byte, index) => bytes[index] === byte)
  if (!starts) return bytes
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const second =
    [text.indexOf("\n\nFrom "), text.indexOf("\r\n\r\nFrom ")].filter((at) => at !== -1).toSorted((a, b) => a - b)[0] ??
    -1
  if (second !== -1) warnings.add("The file is a mail box; only its first mail was read")
  const end = second === -1 ? bytes.length : second + 1
  return bytes.subarray(Math.min(bytes.indexOf(0x0a) + 1, end), end)
}

/** The mail with headers in UTF-8, which the parser takes them for: some are written in another encoding that nothing names. */
const inUtf8 = async (bytes: Uint8Array, warnings: Warnings): Promise<Uint8Array> => {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const ends = [text.indexOf("\n\n"), text.indexOf("\n\r\n")].filter((at) => at !== -1)
  const end = ends.length === 0 ? bytes.length : Math.min(...ends)
  const headers = bytes.subarray(0, end)
  if (headers.every((byte) => byte < 0x80 && byte !== escape)) return bytes
  const decoded = await decode(headers)
  if (decoded.encoding === "utf-8") return bytes
  for (const remark of remarks(decoded)) warnings.add(remark)
  return new Uint8Array(Buffer.concat([Buffer.from(decoded.text), bytes.subarray(end)]))
}

/** Encodings of seven bits begin with it. */
const escape = 0x1b

// --- Headers ---

interface MailProperties {
  readonly title: string | null
  readonly from: string | null
  readonly to: ReadonlyArray<string>
  readonly cc: ReadonlyArray<string>
  readonly bcc: ReadonlyArray<string>
  readonly reply_to: ReadonlyArray<string>
  readonly date: string | null
  readonly message_id: string | null
  readonly in_reply_to: string | null
}

const propertiesOf = async ({ headers }: MimePart, warnings: Warnings): Promise<MailProperties> => {
  const decodeBytes = wordDecoder(warnings)
  const first = (key: string): string | undefined => headers.find((header) => header.key === key)?.value
  const text = async (key: string): Promise<string | null> =>
    (await decodeWords(first(key) ?? "", decodeBytes)).trim() || null
  const addresses = async (key: string): Promise<ReadonlyArray<string>> => {
    const found: Array<string> = []
    for (const { value } of headers.filter((header: MimeHeader) => header.key === key)) {
      for (const address of addressParser(await inOneEncoding(value, decodeBytes))) found.push(shown(address))
    }
    return found.filter((each) => each !== "")
  }
  const [from] = await addresses("from")
  const date = first("date")
  return {
    title: await text("subject"),
    from: from ?? null,
    to: await addresses("to"),
    cc: await addresses("cc"),
    bcc: await addresses("bcc"),
    reply_to: await addresses("reply-to"),
    date: date === undefined || date === "" ? null : mailDate(date),
    message_id: await text("message-id"),
    in_reply_to: await text("in-reply-to")
  }
}

const shown = (address: Address): string => {
  if (address.group !== undefined) return `${address.name}: ${address.group.map(shown).join(", ")};`
  if (address.name === "" || address.address === "") return address.name || address.address
  return `${address.name} <${address.address}>`
}

const headerLines = ({ cc, date, from, title, to }: MailProperties): string =>
  [
    ["From", from],
    ["To", to.join(", ")],
    ["Cc", cc.join(", ")],
    ["Date", date],
    ["Subject", title]
  ]
    .filter(([, value]) => value !== null && value !== "")
    .map(([name, value]) => `${name}: ${value}`)
    .join("\n")
