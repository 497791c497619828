import { LLMock } from "@copilotkit/aimock"
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
    // The mock passes on no schema of /responses: it is that of the same question over /chat/completions.
    const schemas = new Map<string, unknown>()
    server.on({ endpoint: "chat" }, ({ messages, response_format: format }) => {
      const text = (role: string) =>
        messages.map(({ content, role: own }) => (own === role && typeof content === "string" ? content : "")).join("")
      const system = text("system")
      const question = system.replaceAll(/(<<<\w+) \w+>>>/g, "$1>>>")
      const asked = format?.["json_schema"] as { readonly schema?: unknown } | undefined
      if (asked !== undefined) schemas.set(question, asked.schema)
      return { content: ModelStandIn.answerTo(system, text("user"), schemas.get(question)) }
    })
    await server.start()
    return server
  }),
  (server) => Effect.promise(() => server.stop())
)
