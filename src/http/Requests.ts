import type * as HttpApiError from "@effect/platform/HttpApiError"
import * as CutText from "../text/CutText.ts"

type Issue = Pick<HttpApiError.HttpApiDecodeError["issues"][number], "message" | "path">

/** Characters of what a person reads of one thing that is wrong. */
const mostOfOne = 300

/** Things that are wrong which are told of one request. */
const mostTold = 5

/** Things that are wrong which are looked at: a body has room for many more. */
const mostRead = 1_000

const nameOf = (path: Issue["path"]): string =>
  path.reduce<string>((name, part) => {
    const key = String(part)
    return /^\d+$/.test(key) ? `${name}[${key}]` : name === "" ? key : `${name}.${key}`
  }, "")

const asks = /^Expected ([\s\S]+?), actual ([\s\S]*)$/

const knows = /^is unexpected, expected: ([\s\S]*)$/

const alternatives = (text: string): string => text.replaceAll(" | ", " or ")

/** One thing that is wrong, by all that is said of its place: a value that fits none of several is told once, with all of them. */
const told = (name: string, messages: ReadonlyArray<string>): string => {
  const place = name === "" ? "The body" : `\`${name}\``
  const known = messages.flatMap((message) => knows.exec(message)?.[1] ?? [])
  if (known[0] !== undefined) return `${place} is unknown here; there are ${known[0].replaceAll(" | ", ", ")}`
  const other = messages.find((message) => !asks.test(message))
  if (other !== undefined) return CutText.shortened(`${place}: ${other}`, mostOfOne)
  const wanted = messages.flatMap((message) => asks.exec(message)?.[1] ?? [])
  // The types of whole bodies are long, and say less than their description.
  const readable = [...new Set(wanted)].filter((each) => each !== "undefined" && !/\breadonly\b/.test(each))
  const expected = readable.length === 0 ? "something else" : alternatives(readable.join(" | "))
  const actual = CutText.shortened(asks.exec(messages[0] ?? "")?.[2] ?? "", 60)
  return CutText.shortened(`${place}: expected ${expected}, and not ${actual}`, mostOfOne)
}

/** What is wrong with a request, by the places in it, in words. */
export const mistakes = (issues: ReadonlyArray<Issue>): string => {
  const byPlace = new Map<string, Array<string>>()
  /** Places inside of which something is wrong: that says more than what is said of them as a whole. */
  const around = new Set<string>()
  for (const { message, path } of issues.slice(0, mostRead)) {
    const name = nameOf(path)
    const messages = byPlace.get(name)
    if (messages === undefined) byPlace.set(name, [message])
    else messages.push(message)
    for (let length = 0; length < path.length; length++) around.add(nameOf(path.slice(0, length)))
  }
  const places = [...byPlace].filter(([name]) => !around.has(name))
  const more = places.length - mostTold
  const lines = places.slice(0, mostTold).map(([name, messages]) => told(name, messages))
  const others = more <= 0 ? "" : issues.length > mostRead ? "; and many more" : `; and ${more} more`
  return `The request is not valid. ${lines.join("; ")}${others}. /openapi.json says what it takes.`
}
