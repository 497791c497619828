import PostalMime from "postal-mime"
import { Buffer } from "node:buffer"
import { damaged, DocumentError, limitExceeded } from "../DocumentError.ts"
import { makeCollector, readHtml } from "../html/Html.ts"
import type { Attachment, TextDocument, TextLimits, TextOptions } from "../text/TextDocument.ts"
import type { Warnings } from "../Warnings.ts"

type Mail = Awaited<ReturnType<typeof PostalMime.parse>>
type Address = NonNullable<Mail["from"]>

/** Reads a mail as RFC 5322 and MIME have it. Rejects with `DocumentError`. */
export const readMail = async (
  bytes: Uint8Array,
  options: TextOptions,
  limits: TextLimits,
  warnings: Warnings
): Promise<Omit<TextDocument, "type" | "encoding" | "warnings">> => {
  const mail = await parse(withoutEnvelope(withoutMark(bytes), warnings), limits)
  if (mail.headers.length === 0) throw damaged("The document has no header, as a mail must have")
  const page = mail.html === undefined ? undefined : readHtml(windows1252(mail.html), limits, warnings)
  const plain = windows1252(mail.text ?? "")
    .replaceAll("\r\n", "\n")
    .trim()
  const body = plain === "" ? (page?.text ?? "") : plain
  if (body.length > limits.textLength) {
    throw limitExceeded("textLength", `The mail has more than ${limits.textLength} characters of text`)
  }
  const properties = {
    title: mail.subject?.trim() || null,
    from: mail.from === undefined ? null : shown(mail.from),
    to: (mail.to ?? []).map(shown),
    cc: (mail.cc ?? []).map(shown),
    bcc: (mail.bcc ?? []).map(shown),
    reply_to: (mail.replyTo ?? []).map(shown),
    date: mail.date ?? null,
    message_id: mail.messageId ?? null,
    in_reply_to: mail.inReplyTo ?? null,
    attachment_count: mail.attachments.length
  }
  return {
    text: options.mail_headers ? [headerLines(properties), body].filter((part) => part !== "").join("\n\n") : body,
    properties,
    ...(options.extract_headings && { headings: page?.headings ?? [] }),
    ...(options.extract_links && { links: page?.links ?? [] }),
    ...(options.extract_tables && { tables: page?.tables ?? [] }),
    attachments: attachmentsOf(mail, options, limits, warnings)
  }
}

/** Each mail in a mail is parsed again with all that is in it; one that lies deeper is an attachment. */
const forwardedDepth = 5

const parse = async (bytes: Uint8Array, limits: TextLimits): Promise<Mail> => {
  try {
    return await PostalMime.parse(bytes, {
      maxNestingDepth: Math.min(limits.depth, 100),
      maxRfc822NestingDepth: forwardedDepth
    })
  } catch (error) {
    if (error instanceof DocumentError) throw error
    const detail = error instanceof Error ? error.message : String(error)
    throw /nesting|header/i.test(detail)
      ? limitExceeded("depth", `The mail is not read: ${detail}`)
      : damaged(`The mail could not be read: ${detail}`)
  }
}

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

const shown = (address: Address): string => {
  if (address.group !== undefined) return `${address.name}: ${address.group.map(shown).join(", ")};`
  if (address.name === "" || address.address === "") return address.name || address.address
  return `${address.name} <${address.address}>`
}

const headerLines = (properties: {
  readonly title: string | null
  readonly from: string | null
  readonly to: ReadonlyArray<string>
  readonly cc: ReadonlyArray<string>
  readonly date: string | null
}): string =>
  [
    ["From", properties.from],
    ["To", properties.to.join(", ")],
    ["Cc", properties.cc.join(", ")],
    ["Date", properties.date],
    ["Subject", properties.title]
  ]
    .filter(([, value]) => value !== null && value !== "")
    .map(([name, value]) => `${name}: ${value}`)
    .join("\n")

const attachmentsOf = (
  mail: Mail,
  options: TextOptions,
  limits: TextLimits,
  warnings: Warnings
): ReadonlyArray<Attachment> => {
  const attachments = makeCollector<Attachment>("attachments", limits.entries, warnings)
  for (const { content, disposition, filename, mimeType, related } of mail.attachments) {
    const data = typeof content === "string" ? Buffer.from(content) : Buffer.from(new Uint8Array(content))
    attachments.add({
      filename: filename === null ? null : (filename.split(/[/\\]/).at(-1) ?? null),
      content_type: mimeType,
      size_bytes: data.length,
      inline: related === true || disposition === "inline",
      ...(options.extract_attachments && { data: data.toString("base64") })
    })
  }
  return attachments.list
}

/** Node 20 reads the bytes 0x80 to 0x9f of windows-1252 as control characters, which no mail has. */
const windows1252 = (text: string): string =>
  // oxlint-disable-next-line no-control-regex -- these are what is mended
  text.replace(/[\u0080-\u009f]/g, (character) => upperHalf[character.charCodeAt(0) - 0x80] ?? character)

const upperHalf = Array.from("€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ")
