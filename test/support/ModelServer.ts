import * as StandIn from "./StandIn.ts"

/** A question, whichever of the APIs it came by. */
export interface Question {
  readonly api: "responses" | "chat_completions" | "embeddings"
  readonly path: string
  readonly deployment: string
  readonly system: string
  readonly user: string
  /** What stands between the marks of the user's message. */
  readonly document: string
  /** Of embeddings. */
  readonly texts: ReadonlyArray<string>
  readonly body: Readonly<Record<string, unknown>>
  readonly headers: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  readonly at: number
}

/** What the model says: a text, a value as JSON, the beginning of a text, a whole answer of the service, or nothing ever (null). */
export type Reply = string | { readonly value: unknown } | { readonly cut: string } | StandIn.Answer | null

export const key = "key-of-the-test"

/**
 * A stand-in for Azure OpenAI and OpenAI, with the deployments `gpt` and `embed`, for keys and tokens of the test. Its answers are whole, as the
 * services' descriptions ask for.
 */
export const respond =
  (reply: (question: Question, place: number) => Reply | Promise<Reply>) =>
  async (asked: StandIn.Asked, place: number): Promise<StandIn.Answer | "silence"> => {
    const question = questionOf(asked)
    const { authorization = "", "api-key": apiKey = "" } = asked.headers
    if (apiKey !== key && authorization !== `Bearer ${key}` && !authorization.startsWith("Bearer token-")) {
      return error(401, "401", "Access denied due to invalid subscription key or wrong API endpoint.")
    }
    if (question.deployment !== "gpt" && question.deployment !== "embed") {
      return error(404, "DeploymentNotFound", "The API deployment for this resource does not exist.")
    }
    const said = await reply(question, place)
    if (said === null) return "silence"
    if (typeof said === "object" && "status" in said) return said
    return { status: 200, body: answerOf(question, said) }
  }

export const error = (status: number, code: string, message: string): StandIn.Answer => ({
  status,
  body: { error: { code, message, type: "error", param: "" } }
})

export const questionOf = ({ at, body: bytes, headers, path, query }: StandIn.Asked): Question => {
  const body = JSON.parse(bytes.toString("utf8")) as Record<string, never>
  const api = path.endsWith("/responses")
    ? "responses"
    : path.endsWith("/embeddings")
      ? "embeddings"
      : "chat_completions"
  const messages = (body["messages"] ?? []) as ReadonlyArray<{ role: string; content: string }>
  const input = (body["input"] ?? []) as ReadonlyArray<{ content: ReadonlyArray<{ text: string }> }>
  const content = (role: string) => messages.find((message) => message.role === role)?.content ?? ""
  const user = api === "responses" ? (input[0]?.content[0]?.text ?? "") : content("user")
  return {
    api,
    path,
    query,
    headers,
    body,
    at,
    deployment: /\/deployments\/([^/]+)\//.exec(path)?.[1] ?? String(body["model"]),
    system: api === "responses" ? String(body["instructions"]) : content("system"),
    user,
    document: /^<<<DOCUMENT (\w+)>>>\n([\s\S]*)\n<<<END \1>>>$/.exec(user)?.[2] ?? "",
    texts: api === "embeddings" ? (body["input"] as unknown as ReadonlyArray<string>) : []
  }
}

const answerOf = (question: Question, said: Exclude<Reply, StandIn.Answer | null>): unknown => {
  const { api, body, deployment } = question
  const isCut = typeof said === "object" && "cut" in said
  const text = typeof said === "string" ? said : "cut" in said ? said.cut : JSON.stringify(said.value)
  const input = Math.ceil((question.system.length + question.user.length) / 4)
  const output = Math.ceil(text.length / 4)
  if (api === "embeddings") {
    const length = Number(body["dimensions"] ?? 3)
    const tokens = question.texts.join("").length
    return {
      object: "list",
      model: `${deployment}-3-small`,
      data: question.texts.map((each, index) => ({
        object: "embedding",
        index,
        embedding: Array.from({ length }, (_, place) => (place === 0 ? each.length : index))
      })),
      usage: { prompt_tokens: tokens, total_tokens: tokens }
    }
  }
  if (api === "responses") {
    return {
      id: "resp_1",
      object: "response",
      created_at: 1_700_000_000,
      status: isCut ? "incomplete" : "completed",
      error: null,
      incomplete_details: isCut ? { reason: "max_output_tokens" } : null,
      instructions: body["instructions"] ?? null,
      max_output_tokens: body["max_output_tokens"] ?? null,
      model: `${deployment}-4.1-mini`,
      output: [
        {
          type: "message",
          id: "msg_1",
          status: isCut ? "incomplete" : "completed",
          role: "assistant",
          content: [{ type: "output_text", text, annotations: [], logprobs: [] }]
        }
      ],
      parallel_tool_calls: true,
      previous_response_id: null,
      reasoning: null,
      store: false,
      temperature: body["temperature"] ?? 1,
      text: body["text"] ?? { format: { type: "text" } },
      tool_choice: "auto",
      tools: [],
      top_p: 1,
      truncation: "disabled",
      usage: {
        input_tokens: input,
        input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
        output_tokens: output,
        output_tokens_details: { reasoning_tokens: 0 },
        total_tokens: input + output
      },
      metadata: {}
    }
  }
  return {
    id: "chatcmpl-1",
    object: "chat.completion",
    created: 1_700_000_000,
    model: `${deployment}-4.1-mini`,
    choices: [
      {
        index: 0,
        finish_reason: isCut ? "length" : "stop",
        message: { role: "assistant", content: text, refusal: null },
        logprobs: null
      }
    ],
    usage: { prompt_tokens: input, completion_tokens: output, total_tokens: input + output }
  }
}
