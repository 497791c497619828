import { Effect, type Scope } from "effect"
import * as http from "node:http"

export interface StoredSetting {
  readonly key: string
  readonly value: string
  readonly content_type?: string
  readonly label?: string
}

/** A store on a free port of this machine: `GET /kv` with a key filter, for settings without label. */
export const serve = (
  settings: ReadonlyArray<StoredSetting>,
  status = 200
): Effect.Effect<
  { readonly connection: string; readonly endpoint: string; readonly requests: ReadonlyArray<URL> },
  never,
  Scope.Scope
> =>
  Effect.gen(function* () {
    const requests: Array<URL> = []
    const server = yield* Effect.acquireRelease(
      Effect.async<http.Server>((resume) => {
        const server = http.createServer((request, response) => {
          const url = new URL(request.url ?? "/", "http://localhost")
          requests.push(url)
          const signed = request.headers.authorization?.startsWith("HMAC-SHA256 ") === true
          const filter = url.searchParams.get("key") ?? "*"
          const items = settings.filter(
            ({ key, label }) =>
              (filter.endsWith("*") ? key.startsWith(filter.slice(0, -1)) : key === filter) &&
              label === undefined &&
              url.searchParams.get("label") === "\0"
          )
          response.writeHead(signed ? status : 401, {
            "content-type": "application/vnd.microsoft.appconfig.kvset+json"
          })
          response.end(
            JSON.stringify({
              items: items.map((item) => ({ label: null, etag: "e", tags: {}, locked: false, ...item }))
            })
          )
        })
        server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
      }),
      (server) =>
        Effect.async<void>((resume) => {
          server.close(() => resume(Effect.void))
          server.closeAllConnections()
        })
    )
    const address = server.address()
    const endpoint = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`
    return { endpoint, connection: `Endpoint=${endpoint};Id=test;Secret=c2VjcmV0`, requests }
  })
