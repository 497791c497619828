import { type Cursor, isBlankBreakOrEnd, isBreakOrEnd, isSpaceBreakOrEnd, isWord, shown } from "./Cursor.ts"
import type { TagName, Token } from "./Token.ts"

const isSpace = (ch: string): boolean => ch === " "
const isDigit = (ch: string): boolean => ch >= "0" && ch <= "9"
const isUri = (ch: string): boolean => /^[0-9A-Za-z\-;/?:@&=+$,_.!~*'()[\]]$/.test(ch)

/** Reads `&name` or `*name`; names are ASCII letters, digits, `_` and `-`. */
export const scanAnchor = (cursor: Cursor): Token => {
  const position = cursor.position()
  const type = cursor.take(1) === "*" ? "alias" : "anchor"
  const name = cursor.takeWhile(isWord)
  const next = cursor.peek()
  if (name === "" || !(isBlankBreakOrEnd(next) || "?:,]}%@`".includes(next))) {
    const hint =
      type === "alias" ? 'a text that starts with "*" needs quotes' : 'a text that starts with "&" needs quotes'
    cursor.fail(`the name of an ${type} is made of ASCII letters, digits, "_" and "-", found ${shown(next)}; ${hint}`)
  }
  return { type, name, position }
}

export const scanTag = (cursor: Cursor): Token => {
  const position = cursor.position()
  const tag = scanTagName(cursor)
  if (!isSpaceBreakOrEnd(cursor.peek())) {
    cursor.fail(`a tag ends with a space, found ${shown(cursor.peek())}; a text that starts with "!" needs quotes`)
  }
  return { type: "tag", tag, position }
}

const scanTagName = (cursor: Cursor): TagName => {
  const next = cursor.peek(1)
  if (next === "<") {
    cursor.forward(2)
    const suffix = scanUri(cursor)
    if (cursor.peek() !== ">") cursor.fail(`a tag that starts with !< ends with ">", found ${shown(cursor.peek())}`)
    cursor.forward()
    return { handle: null, suffix }
  }
  if (isBlankBreakOrEnd(next)) {
    cursor.forward()
    return { handle: null, suffix: "!" }
  }
  let length = 1
  while (!isSpaceBreakOrEnd(cursor.peek(length)) && cursor.peek(length) !== "!") length++
  const handle = cursor.peek(length) === "!" ? scanHandle(cursor) : cursor.take(1)
  return { handle, suffix: scanUri(cursor) }
}

/** `!`, `!!` or `!name!`. */
const scanHandle = (cursor: Cursor): string => {
  if (cursor.peek() !== "!") cursor.fail(`the handle of a tag starts with "!", found ${shown(cursor.peek())}`)
  let length = 1
  if (cursor.peek(1) !== " ") {
    while (isWord(cursor.peek(length))) length++
    if (cursor.peek(length) !== "!") {
      cursor.forward(length)
      cursor.fail(`the handle of a tag ends with "!", found ${shown(cursor.peek())}`)
    }
    length++
  }
  return cursor.take(length)
}

const scanUri = (cursor: Cursor): string => {
  let uri = ""
  while (true) {
    uri += cursor.takeWhile(isUri)
    if (cursor.peek() !== "%") break
    uri += scanUriEscapes(cursor)
  }
  return uri === "" ? cursor.fail(`a tag needs a name, found ${shown(cursor.peek())}`) : uri
}

const scanUriEscapes = (cursor: Cursor): string => {
  const position = cursor.position()
  const bytes: Array<number> = []
  while (cursor.peek() === "%") {
    cursor.forward()
    const digits = cursor.prefix(2)
    if (!/^[0-9A-Fa-f]{2}$/.test(digits)) cursor.fail('"%" in a tag needs two hexadecimal digits')
    bytes.push(Number.parseInt(digits, 16))
    cursor.forward(2)
  }
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(bytes))
  } catch {
    return cursor.fail('the "%" sequences of this tag are not UTF-8', position)
  }
}

/** Reads a `%` line: `%YAML 1.x`, `%TAG`, or one that means nothing and is passed over. */
export const scanDirective = (cursor: Cursor): Token => {
  const position = cursor.position()
  cursor.forward()
  const name = cursor.takeWhile(isWord)
  if (name === "" || !isSpaceBreakOrEnd(cursor.peek())) {
    cursor.fail(`the name of a "%" directive is made of letters and digits, found ${shown(cursor.peek())}`)
  }
  const token = scanDirectiveValue(cursor, name, position)
  cursor.takeWhile(isSpace)
  cursor.skipComment()
  if (!isBreakOrEnd(cursor.peek())) cursor.fail(`the "%" directive should end here, found ${shown(cursor.peek())}`)
  cursor.takeBreak()
  return token
}

const scanDirectiveValue = (cursor: Cursor, name: string, position: Token["position"]): Token => {
  switch (name) {
    case "YAML": {
      cursor.takeWhile(isSpace)
      const major = cursor.takeWhile(isDigit)
      const point = major === "" ? "" : cursor.peek() === "." ? cursor.take(1) : ""
      const minor = point === "" ? "" : cursor.takeWhile(isDigit)
      if (minor === "" || !isSpaceBreakOrEnd(cursor.peek())) {
        cursor.fail(`%YAML takes a version such as 1.1, found ${shown(cursor.peek())}`)
      }
      return { type: "version directive", major: Number(major), position }
    }
    case "TAG": {
      cursor.takeWhile(isSpace)
      const handle = scanHandle(cursor)
      if (cursor.peek() !== " ") cursor.fail(`%TAG takes a handle, a space and a prefix, found ${shown(cursor.peek())}`)
      cursor.takeWhile(isSpace)
      const prefix = scanUri(cursor)
      if (!isSpaceBreakOrEnd(cursor.peek())) {
        cursor.fail(`the prefix of %TAG ends with the line, found ${shown(cursor.peek())}`)
      }
      return { type: "tag directive", handle, prefix, position }
    }
    default:
      cursor.takeWhile((ch) => !isBreakOrEnd(ch))
      return { type: "other directive", position }
  }
}
