import { AppConfigurationClient, type ConfigurationSetting } from "@azure/app-configuration"
import type { TokenCredential } from "@azure/identity"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as SecretShape from "../domain/SecretShape.ts"
import { Credentials } from "../azure/Credentials.ts"
import { ConfigError, type Mistake } from "./ConfigError.ts"
import { variables } from "./Variables.ts"

export interface Store {
  /** An address, or a connection string with a key. */
  readonly connection: Redacted.Redacted
  /** After `contentflow.common.*`, which is always read; of two keys with the same name the later filter's wins. */
  readonly filters: ReadonlyArray<string>
}

export interface StoredValue {
  readonly text: string
  /** The whole key, for messages. */
  readonly key: string
}

/**
 * The store's values by the names that remain when a filter's text before `*` is taken from the front of the keys: null label only, no feature flags, references to Key Vault resolved where the name is wanted. A store or a
 * secret that can't be read is an error: starting with half of the settings is worse than not starting.
 */
export const read = (
  store: Store,
  wanted: ReadonlySet<string>
): Effect.Effect<ReadonlyMap<string, StoredValue>, ConfigError, Credentials> =>
  Effect.gen(function* () {
    const { credential } = yield* Credentials
    const client = yield* clientOf(store.connection, credential)
    const settings = new Map<string, ConfigurationSetting>()
    for (const filter of ["contentflow.common.*", ...store.filters]) {
      const prefix = filter.replaceAll("*", "")
      for (const setting of yield* list(client, filter)) {
        const name = setting.key.startsWith(prefix) ? setting.key.slice(prefix.length) : setting.key
        if (wanted.has(name) && !isFeatureFlag(setting)) settings.set(name, setting)
      }
    }
    const [mistakes, values] = yield* Effect.partition(settings, ([name, setting]) =>
      Effect.map(textOf(setting, credential), (text) => [name, { text, key: setting.key }] as const)
    )
    const [first, ...more] = mistakes
    return first === undefined ? new Map(values) : yield* new ConfigError({ mistakes: [first, ...more] })
  })

/** Reads one secret of Key Vault, by its address, for a key of the store. Another one is for tests and embedders. */
export class SecretReader extends Context.Reference<SecretReader>()("contentflow-worker/config/SecretReader", {
  defaultValue: () => ({
    read: (address: URL, credential: TokenCredential): Effect.Effect<string, SecretUnreadable> =>
      Effect.promise(() => import("@azure/keyvault-secrets")).pipe(
        Effect.flatMap(({ SecretClient, parseKeyVaultSecretIdentifier }) =>
          Effect.tryPromise({
            try: (abortSignal) => {
              const { vaultUrl, name, version } = parseKeyVaultSecretIdentifier(address.href)
              const client = new SecretClient(vaultUrl, credential, { retryOptions })
              return client.getSecret(name, { abortSignal, ...(version === undefined ? {} : { version }) })
            },
            catch: (cause): SecretUnreadable => ({
              reason: `is a reference to a secret in ${address.host} that can't be read: ${reasonOf(cause, "Key Vault Secrets User")}`
            })
          })
        ),
        Effect.map((secret) => secret.value ?? "")
      )
  })
}) {}

/** The end of a sentence about the key. */
export interface SecretUnreadable {
  readonly reason: string
}

/** Bounds what a wrong filter can pull in. */
const maxSettings = 20_000

const retryOptions = { maxRetries: 2, retryDelayInMs: 500, maxRetryDelayInMs: 5000 }

const patience = Duration.seconds(30)

const isConnectionString = (connection: string): boolean => /^Endpoint=/i.test(connection)

const clientOf = (
  connection: Redacted.Redacted,
  credential: TokenCredential
): Effect.Effect<AppConfigurationClient, ConfigError> =>
  Effect.try({
    try: () => {
      const text = Redacted.value(connection)
      const options = {
        retryOptions,
        // Only this machine itself is reached without encryption: an emulator.
        allowInsecureConnection: /^(?:Endpoint=)?http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?:[:/;]|$)/i.test(text)
      }
      return isConnectionString(text)
        ? new AppConfigurationClient(text, options)
        : new AppConfigurationClient(text, credential, options)
    },
    catch: () => storeError("is not a valid connection string")
  })

const list = (
  client: AppConfigurationClient,
  filter: string
): Effect.Effect<ReadonlyArray<ConfigurationSetting>, ConfigError> =>
  Effect.gen(function* () {
    const stop = yield* Effect.acquireRelease(
      Effect.sync(() => new AbortController()),
      (controller) => Effect.sync(() => controller.abort())
    )
    // "\0" is the service's word for "no label"; without it every label would be mixed in.
    const settings = client.listConfigurationSettings({
      keyFilter: filter,
      labelFilter: "\0",
      abortSignal: stop.signal
    })
    const found = yield* Stream.fromAsyncIterable(settings, (cause) =>
      storeError(`can't be read (keys ${shownFilter(filter)}): ${reasonOf(cause, "App Configuration Data Reader")}`)
    ).pipe(Stream.take(maxSettings + 1), Stream.runCollect)
    if (found.length > maxSettings) {
      return yield* storeError(
        `has more than ${maxSettings} keys ${shownFilter(filter)}: choose a narrower APP_CONFIG_KEY_FILTERS`
      )
    }
    return [...found]
  }).pipe(
    Effect.scoped,
    Effect.timeoutFail({
      duration: patience,
      onTimeout: () =>
        storeError(`did not answer within ${Duration.toSeconds(patience)} seconds (keys ${shownFilter(filter)})`)
    }),
    Effect.withSpan("AppConfiguration.list", { kind: "client", attributes: { filter } })
  )

const shownFilter = (filter: string): string => (SecretShape.isHarmless(filter) ? filter : SecretShape.describe(filter))

const storeError = (reason: string): ConfigError =>
  new ConfigError({
    mistakes: [{ variable: variables.appConfiguration.name, value: null, reason, source: "App Configuration" }]
  })

const isFeatureFlag = (setting: ConfigurationSetting): boolean =>
  setting.key.startsWith(".appconfig.featureflag/") ||
  (setting.contentType ?? "").startsWith("application/vnd.microsoft.appconfig.ff+json")

const isReference = (setting: ConfigurationSetting): boolean =>
  (setting.contentType ?? "").startsWith("application/vnd.microsoft.appconfig.keyvaultref+json")

const textOf = Effect.fnUntraced(function* (
  setting: ConfigurationSetting,
  credential: TokenCredential
): Effect.fn.Return<string, Mistake> {
  if (!isReference(setting)) return setting.value ?? ""
  const mistake = (reason: string) => ({ variable: setting.key, value: null, reason, source: "App Configuration" })
  const address = addressOf(setting.value ?? "")
  if (address === undefined) {
    return yield* Effect.fail(mistake('is a reference to Key Vault without an address: expected {"uri":"https://…"}'))
  }
  const { read } = yield* SecretReader
  return yield* read(address, credential).pipe(
    Effect.mapError(({ reason }) => mistake(reason)),
    Effect.timeoutFail({
      duration: patience,
      onTimeout: () => mistake(`is a reference to a secret in ${address.host}, which did not answer`)
    })
  )
})

const addressOf = (reference: string): URL | undefined => {
  try {
    const value: unknown = JSON.parse(reference)
    const uri = Predicate.hasProperty(value, "uri") ? value.uri : undefined
    if (!Predicate.isString(uri) || !URL.canParse(uri)) return undefined
    const address = new URL(uri)
    return address.protocol === "https:" ? address : undefined
  } catch {
    return undefined
  }
}

/** Put together from status and code, never from the thrown text, which may quote addresses and tokens. */
const reasonOf = (cause: unknown, role: string): string => {
  const property = (name: string): unknown => (Predicate.hasProperty(cause, name) ? cause[name] : undefined)
  const [name, status, code] = [property("name"), property("statusCode"), property("code")]
  if (
    Predicate.isString(name) &&
    /^(?:CredentialUnavailable|AggregateAuthentication|Authentication|AuthenticationRequired)Error$/.test(name)
  ) {
    return "no credential could sign in; run `az login`, give the worker a managed identity, or use a connection string"
  }
  if (status === 401) return "the key or token is not accepted (401)"
  if (status === 403) return `access is refused (403); the identity needs the role ${role}`
  if (status === 404) return "it does not exist (404)"
  if (Predicate.isNumber(status)) return `the service answered with status ${status}`
  return Predicate.isString(code) && /^[A-Z][A-Z0-9_]{1,40}$/.test(code)
    ? `the service can't be reached (${code})`
    : "the service can't be reached"
}
