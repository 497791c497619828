import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type * as http from "node:http"
import * as Emulators from "../cli/demo/Emulators.ts"
import { type AzureSettings } from "../azure/AzureConfig.ts"

/** An answer that the server gives instead of doing its work. */
export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  /** The service's text. */
  readonly message?: string
  /** Which requests; default all that concern documents. */
  readonly when?: (request: { readonly method: string; readonly path: string }) => boolean
  readonly times?: number
}

/** The Cosmos emulator in this process, on a free port of the loopback interface. */
export class CosmosServer extends Context.Tag("contentflow-worker/testing/CosmosServer")<
  CosmosServer,
  {
    readonly endpoint: string
    /** What an AzureConfig needs to use it; any key would do. */
    readonly settings: Pick<
      AzureSettings,
      "cosmosEndpoint" | "cosmosKey" | "cosmosDatabase" | "containers" | "createMissingResources"
    >
    readonly answerNext: (answer: Answer) => void
    /** `GET /dbs/contentflow/colls/pipelines/docs/p1 304`, in the order of the answers. */
    readonly log: ReadonlyArray<string>
  }
>() {}

export const layer: Layer.Layer<CosmosServer> = Layer.scoped(
  CosmosServer,
  Effect.gen(function* () {
    const answers: Array<Answer & { left: number }> = []
    const log: Array<string> = []
    const endpoint = yield* Effect.orDie(Emulators.cosmos((server) => makeFaithful(server, answers, log)))
    return {
      endpoint,
      settings: {
        cosmosEndpoint: endpoint,
        cosmosKey: Redacted.make(Emulators.cosmosKey),
        cosmosDatabase: "contentflow",
        containers: {
          pipelines: "pipelines",
          vaults: "vaults",
          executions: "vault_executions",
          locks: "vault_exec_locks",
          checkpoints: "vault_crawl_checkpoints"
        },
        createMissingResources: true
      },
      answerNext: (answer) => void answers.push({ ...answer, left: answer.times ?? 1 }),
      log
    }
  })
)

const maxBytes = 2 * 1024 * 1024

/** What the emulator lacks: If-None-Match of a read, the size limit, and answers on demand. */
const makeFaithful = (server: http.Server, answers: Array<Answer & { left: number }>, log: Array<string>): void => {
  const [emulate] = server.listeners("request")
  server.removeAllListeners("request")
  server.on("request", (request: http.IncomingMessage, response: http.ServerResponse) => {
    const method = request.method ?? ""
    const path = decodeURIComponent(request.url ?? "")
    response.on("finish", () => log.push(`${method} ${path} ${response.statusCode}`))

    const refuse = (status: number, message: string, headers: Readonly<Record<string, string>> = {}) => {
      request.resume()
      request.on("end", () => {
        response.writeHead(status, { "content-type": "application/json", ...headers })
        response.end(JSON.stringify({ code: String(status), message }))
      })
    }
    const answer = answers.find((one) => one.left > 0 && (one.when?.({ method, path }) ?? path.includes("/docs")))
    if (answer !== undefined) {
      answer.left--
      return refuse(answer.status, answer.message ?? "as the test asked", answer.headers)
    }
    if (Number(request.headers["content-length"] ?? 0) > maxBytes) return refuse(413, "Request size is too large")

    const known = request.headers["if-none-match"]
    if (method === "GET" && known !== undefined && path.includes("/docs/")) {
      const end = response.end.bind(response)
      response.end = (body?: unknown) => {
        if (response.getHeader("etag") !== known) return end(body)
        response.statusCode = 304
        return end()
      }
    }
    return emulate?.call(server, request, response)
  })
}
