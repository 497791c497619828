import { createHash } from "node:crypto"
import * as CutText from "../../../text/CutText.ts"
import * as SchemaSample from "./SchemaSample.ts"
import { type Answer, failure, type Handler, isObject, jsonOf } from "./StandIn.ts"

/**
 * A model server that understands nothing: its vectors count words, so that texts with the same words are near each other, and it answers with the
 * document's first sentence, or with words of it in the JSON that is asked for. It speaks the language of OpenAI.
 */
export const handle: Handler = (request) => {
  if (request.method !== "POST") return undefined
  if (request.path.endsWith("/embeddings")) return embeddings(jsonOf(request))
  if (request.path.endsWith("/chat/completions")) return chat(jsonOf(request))
  return request.path.endsWith("/responses") ? responses(jsonOf(request)) : undefined
}

type Body = Readonly<Record<string, unknown>>

/** A number of dimensions that a vector index takes, and a screen. */
export const usualDimensions = 256

const embeddings = (body: Body): Answer => {
  const texts = (Array.isArray(body["input"]) ? body["input"] : [body["input"]]).map(String)
  if (texts.some((text) => text === "")) return failure(400, "invalid_request_error", "An input is empty.")
  const dimensions = typeof body["dimensions"] === "number" ? body["dimensions"] : usualDimensions
  const tokens = texts.reduce((sum, text) => sum + tokensOf(text), 0)
  return {
    status: 200,
    json: {
      object: "list",
      model: body["model"] ?? "stand-in",
      data: texts.map((text, index) => ({ object: "embedding", index, embedding: vectorOf(text, dimensions) })),
      usage: { prompt_tokens: tokens, total_tokens: tokens }
    }
  }
}

/** Counts the words of a text in as many boxes as the vector has dimensions, and gives it the length 1. */
export const vectorOf = (text: string, dimensions: number): ReadonlyArray<number> => {
  const vector = Array.from({ length: dimensions }, () => 0)
  for (const [word] of text.toLowerCase().matchAll(/[\p{L}\p{N}]{2,}/gu)) {
    if (fillers.has(word)) continue
    const box = createHash("sha1").update(stemOf(word)).digest().readUInt32LE(0) % dimensions
    vector[box] = (vector[box] ?? 0) + 1
  }
  const length = Math.hypot(...vector)
  // A text without words is near nothing, but no vector may be all zeros.
  return length === 0 ? vector.map((_, index) => (index === 0 ? 1 : 0)) : vector.map((count) => count / length)
}

const fillers = new Set(
  "the and for are was were is in of to on at by it its an as be or has have with what when who".split(" ")
)

const stemOf = (word: string): string => (word.length > 4 ? word.replace(/(?:ing|es|ed|s)$/, "") : word)

const chat = (body: Body): Answer => {
  const messages = Array.isArray(body["messages"]) ? body["messages"].filter(isObject) : []
  const text = (role: string) =>
    messages
      .filter((message) => message["role"] === role)
      .map((message) => textOf(message["content"]))
      .join("\n")
  const format = isObject(body["response_format"]) ? body["response_format"]["json_schema"] : undefined
  const content = answerTo(text("system"), text("user"), isObject(format) ? format["schema"] : undefined)
  const [input, output] = [tokensOf(text("system") + text("user")), tokensOf(content)]
  return {
    status: 200,
    json: {
      id: "chatcmpl-stand-in",
      object: "chat.completion",
      model: body["model"] ?? "stand-in",
      choices: [{ index: 0, finish_reason: "stop", message: { role: "assistant", content, refusal: null } }],
      usage: { prompt_tokens: input, completion_tokens: output, total_tokens: input + output }
    }
  }
}

const responses = (body: Body): Answer => {
  const instructions = textOf(body["instructions"])
  const inputs = Array.isArray(body["input"]) ? body["input"].filter(isObject) : []
  const user =
    typeof body["input"] === "string" ? body["input"] : inputs.map((input) => textOf(input["content"])).join("\n")
  const format = isObject(body["text"]) ? body["text"]["format"] : undefined
  const text = answerTo(instructions, user, isObject(format) ? format["schema"] : undefined)
  const [input, output] = [tokensOf(instructions + user), tokensOf(text)]
  return {
    status: 200,
    json: {
      id: "resp_stand-in",
      object: "response",
      status: "completed",
      model: body["model"] ?? "stand-in",
      output: [
        {
          id: "msg_stand-in",
          type: "message",
          role: "assistant",
          status: "completed",
          content: [{ type: "output_text", text, annotations: [] }]
        }
      ],
      usage: { input_tokens: input, output_tokens: output, total_tokens: input + output }
    }
  }
}

/** What the model says about the document between the marks of a question. */
export const answerTo = (system: string, user: string, schema: unknown): string => {
  const document = /^<<<DOCUMENT (\w+)>>>\n([\s\S]*)\n<<<END \1>>>$/.exec(user.trim())?.[2] ?? user
  if (schema !== undefined) return JSON.stringify(SchemaSample.sample(schema, document))
  const sentence = /[^\s][\s\S]*?(?:[.!?](?=\s|$)|\n\n|$)/.exec(document)?.[0] ?? ""
  const short = CutText.shortened(sentence.replaceAll(/\s+/g, " ").trim(), 300)
  // An instruction that wants JSON without giving its schema gets an object.
  return /\bJSON\b/.test(system) ? JSON.stringify({ answer: short }) : short
}

const textOf = (content: unknown): string => {
  if (typeof content === "string") return content
  const parts = Array.isArray(content) ? content.filter(isObject) : []
  return parts.map(({ text }) => (typeof text === "string" ? text : "")).join("\n")
}

const tokensOf = (text: string): number => Math.ceil(text.length / 4)
