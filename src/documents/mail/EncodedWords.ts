import { Buffer } from "node:buffer"

/** Decodes the bytes of encoded words that name this charset. */
export type DecodeBytes = (bytes: Uint8Array, charset: string) => Promise<string>

/** A header's value with its encoded words (RFC 2047) as text. Neighbours in one charset are decoded together: many mailers cut within a character. */
export const decodeWords = (value: string, decode: DecodeBytes): Promise<string> =>
  replaced(value, async (bytes, charset) => decode(bytes, charset))

/** The same with each run of them as one encoded word in UTF-8, for readers of addresses, which must tell words from commas and brackets. */
export const inOneEncoding = (value: string, decode: DecodeBytes): Promise<string> =>
  replaced(
    value,
    async (bytes, charset) => `=?utf-8?B?${Buffer.from(await decode(bytes, charset)).toString("base64")}?=`
  )

const replaced = async (value: string, write: DecodeBytes): Promise<string> => {
  if (!value.includes("=?")) return value
  let text = ""
  let at = 0
  let group: Group | undefined
  const endGroup = async (): Promise<void> => {
    if (group !== undefined) text += await write(bytesOf(group.words), group.charset)
    group = undefined
  }
  for (const found of value.matchAll(encodedWord)) {
    const [all, charset = "", encoding = "", content = ""] = found
    const between = value.slice(at, found.index)
    const name = charset.split("*")[0]?.toLowerCase() ?? ""
    // white space between encoded words is none of the text
    const isNeighbour = at > 0 && between.trim() === ""
    if (!isNeighbour || group?.charset !== name) await endGroup()
    if (!isNeighbour) text += between
    group ??= { charset: name, words: [] }
    group.words.push({ isBase64: encoding.toUpperCase() === "B", content })
    at = found.index + all.length
  }
  await endGroup()
  return text + value.slice(at)
}

interface Group {
  readonly charset: string
  readonly words: Array<Word>
}

interface Word {
  readonly isBase64: boolean
  readonly content: string
}

const encodedWord = /=\?([^?\s]{1,60})\?([BbQq])\?([^?]*)\?=/g

const bytesOf = (words: ReadonlyArray<Word>): Uint8Array => {
  const pieces: Array<Uint8Array> = []
  let open = ""
  for (const { content, isBase64 } of words) {
    if (!isBase64) {
      pieces.push(quoted(content))
      continue
    }
    // four letters stand for three bytes, also across words where the first has no padding
    open += content
    if (content.endsWith("=") || open.length % 4 === 0) {
      pieces.push(Buffer.from(open, "base64"))
      open = ""
    }
  }
  if (open !== "") pieces.push(Buffer.from(open, "base64"))
  return new Uint8Array(Buffer.concat(pieces))
}

const quoted = (content: string): Uint8Array =>
  Buffer.concat(
    content
      .split(/(=[0-9A-Fa-f]{2})/)
      .map((piece) =>
        /^=[0-9A-Fa-f]{2}$/.test(piece)
          ? Buffer.from(piece.slice(1), "hex")
          : Buffer.from(piece.replaceAll("_", " "), "utf8")
      )
  )
