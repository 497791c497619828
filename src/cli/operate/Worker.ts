import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as DotEnv from "../../config/DotEnv.ts"
import { remember } from "../../domain/Redaction.ts"
import * as SecretShape from "../../domain/SecretShape.ts"
import * as RemoteInstallation from "../../http/RemoteInstallation.ts"
import * as Loopback from "../../web/Loopback.ts"
import { wrongUsage } from "../WrongUsage.ts"

/** The variables that stand for `--url`, and for the token that no command line should show. */
const urlVariable = "CONTENTFLOW_URL"
const tokenVariable = "CONTENTFLOW_TOKEN"

/** What the environment or the nearest `.env` says under this name; nothing where it is empty. */
const setting = Effect.fnUntraced(function* (name: string) {
  const real = yield* Effect.option(Config.string(name))
  const file = yield* DotEnv.find
  const text = Option.isSome(real) ? real : yield* Effect.option(file.provider.load(Config.string(name)))
  return Option.filter(
    Option.map(text, (value) => value.trim()),
    (value) => value !== ""
  )
})

/** The worker's address that a command was given, or that the settings name. */
export const address = (given: Option.Option<string>) =>
  Option.isSome(given) ? Effect.succeed(given) : setting(urlVariable)

/** The installation of the worker at this address, with the token of the settings. */
export const layerAt = Effect.fnUntraced(function* (text: string) {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol) || `${url.username}${url.password}` !== "") {
    const shown = SecretShape.isHarmless(text) ? text : SecretShape.describe(text)
    return yield* wrongUsage(
      `--url and ${urlVariable} take the address of a worker, such as https://worker.example.com or http://localhost:8099, and not ${shown}. The token is ${tokenVariable}.`
    )
  }
  const token = Option.map(yield* setting(tokenVariable), (secret) => Redacted.make(secret))
  if (Option.isSome(token)) {
    remember(Redacted.value(token.value))
    if (url.protocol === "http:" && !Loopback.isLoopback(url.hostname)) {
      yield* Effect.logWarning(
        `${tokenVariable} goes to ${url.host} unencrypted: use https where others share the network.`
      )
    }
  }
  return RemoteInstallation.layer({
    url: `${url.origin}${url.pathname.replace(/\/+$/, "")}`,
    token: Option.getOrNull(token)
  })
})
