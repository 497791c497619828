import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

const silence = (millis: number) =>
  Effect.map(HttpServerRequest.HttpServerRequest, (request) => {
    NodeHttpServerRequest.toIncomingMessage(request).socket.setTimeout(millis)
  })

/** Ours, after which a connection on which nothing moves is cut. */
const usual = 10_000

/** An answer that may take so long: until then the connection may be silent. */
export const within = <A, E, R>(duration: Duration.Duration, answer: Effect.Effect<A, E, R>) =>
  Effect.ensuring(Effect.zipRight(silence(Duration.toMillis(duration) + usual), answer), silence(usual))

/** The connection stays as long as the client reads. */
export const keepOpen = silence(60_000)
