import * as Effect from "effect/Effect"
import * as http from "node:http"

let isSet = false

/**
 * Lets Deno's `node:http`, which the SDKs use, treat a kept-alive connection as Node does. By itself (in 2.9, denoland/deno#36786) it sends a
 * request once more when such a connection ends before the answer, also one that was called off: a write would happen after its attempt had lost
 * its lease. And it may report an error to a request more often than the SDK listens, which ends the process. The hook is the one that
 * `node:http` documents for a connection that is used again; it holds for the whole process, and is set once.
 */
export const sendOnce: Effect.Effect<void> = Effect.sync(() => {
  if (isSet || !("Deno" in globalThis)) return
  isSet = true
  const reuseSocket: ReuseSocket = Reflect.get(http.Agent.prototype, "reuseSocket")
  http.Agent.prototype.reuseSocket = function (socket, request) {
    reuseSocket.call(this, socket, request)
    // What Deno asks before it sends a request again.
    request.reusedSocket = false
    request.on("error", ignore)
  }
})

type ReuseSocket = (this: http.Agent, ...connection: Parameters<http.Agent["reuseSocket"]>) => void

const ignore = (): void => undefined
