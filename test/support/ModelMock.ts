import { type ChatCompletionRequest, LLMock } from "@copilotkit/aimock"
import { Effect } from "effect"
import * as ModelStandIn from "../../src/cli/demo/standins/ModelStandIn.ts"

/**
 * An OpenAI server that nobody here wrote, which answers every question: with words of the document, as text or in the JSON that is asked for. Its
 * address is `url`; what it was asked is in `getRequests()`.
 */
export const answering = Effect.acquireRelease(
  Effect.promise(async () => {
    const server = new LLMock({ port: 0, strict: true })
    server.on({ endpoint: "embedding" }, ({ embeddingInput = "" }) => ({
      embedding: [...ModelStandIn.vectorOf(embeddingInput, 16)]
    }))
    server.on({ endpoint: "chat" }, (request) => ({ content: answerTo(request) }))
    await server.start()
    return server
  }),
  (server) => Effect.promise(() => server.stop())
)

const answerTo = ({ messages, response_format: format }: ChatCompletionRequest): string => {
  const text = (role: string) =>
    messages.map(({ content, role: own }) => (own === role && typeof content === "string" ? content : "")).join("")
  const schema = format?.["json_schema"] as { readonly schema?: unknown } | undefined
  return ModelStandIn.answerTo(text("system"), text("user"), schema?.schema)
}
