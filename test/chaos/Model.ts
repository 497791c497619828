import { createHash } from "node:crypto"
import { setTimeout } from "node:timers/promises"
import { type Handler, isObject, jsonOf } from "../../src/cli/demo/standins/StandIn.ts"

/** A model that tells in each answer what it was asked, and takes the time that a document asks for. */

/** Names a question by its digest: the same question has other marks around its document each time. */
export const questionOf = (body: string): string =>
  createHash("sha256")
    .update(body.replaceAll(/(?:DOCUMENT|END) \w+/g, ""))
    .digest("hex")
    .slice(0, 20)

/** The questions whose answers are in a text. */
export const answersIn = (text: string): ReadonlyArray<string> =>
  [...text.matchAll(/answer-([0-9a-f]{20})/g)].map(([, question = ""]) => question)

/** Milliseconds that every answer takes, at least. */
const usualMillis = 150

export const handle: Handler = async (request) => {
  if (request.method !== "POST" || !request.path.endsWith("/chat/completions")) return undefined
  const body = jsonOf(request)
  const messages = Array.isArray(body["messages"]) ? body["messages"].filter(isObject) : []
  const asked = messages.map(({ content }) => String(content)).join("\n")
  await setTimeout(usualMillis + Number(/lingers (\d+) ms/.exec(asked)?.[1] ?? 0))
  const about = /marker-\d+-(?: row \d+)?/.exec(asked)?.[0] ?? "nothing"
  const content = `answer-${questionOf(request.body.toString("utf8"))} about ${about}.`
  return {
    status: 200,
    json: {
      id: "chatcmpl-chaos",
      object: "chat.completion",
      model: body["model"] ?? "stand-in",
      choices: [{ index: 0, finish_reason: "stop", message: { role: "assistant", content, refusal: null } }],
      usage: { prompt_tokens: asked.length, completion_tokens: 10, total_tokens: asked.length + 10 }
    }
  }
}
