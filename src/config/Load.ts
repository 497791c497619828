import type * as FileSystem from "@effect/platform/FileSystem"
import type * as Path from "@effect/platform/Path"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { remember } from "../domain/Redaction.ts"
import * as Credentials from "../azure/Credentials.ts"
import * as Proxy from "../azure/Proxy.ts"
import * as AppConfiguration from "./AppConfiguration.ts"
import { builtIn, ConfigError, nowhere } from "./ConfigError.ts"
import * as Decode from "./Decode.ts"
import * as DotEnv from "./DotEnv.ts"
import * as LogFile from "./LogFile.ts"
import * as MisspeltNames from "./MisspeltNames.ts"
import type { Found, Variable } from "./Variable.ts"
import { variables } from "./Variables.ts"
import { AzureConfig } from "../azure/AzureConfig.ts"
import { HttpConfig, WorkerConfig } from "./WorkerConfig.ts"

/**
 * All settings, from App Configuration, the environment (the current ConfigProvider), the nearest `.env` file and the defaults,
 * in this order. Read once; fails with all mistakes together.
 */
export const load: Effect.Effect<Loaded, ConfigError, FileSystem.FileSystem | Path.Path> = Effect.gen(function* () {
  const { texts: local, warnings } = yield* localTexts
  const unread = Effect.mapError(({ mistakes }: ConfigError) => new ConfigError({ mistakes, unread: warnings }))
  const stored = yield* storedTexts(local).pipe(
    Effect.catchAll((error) => withLocalMistakes(error, local)),
    unread
  )
  const lookup = lookupIn(stored, local)
  for (const variable of all) if (variable.secret) remember(lookup(variable)?.text ?? "")
  return { ...(yield* unread(decode(lookup))), warnings }
})

export interface Loaded extends Decode.Settings {
  /** Sentences about what was not read from the `.env` file, and about a proxy that is no address. */
  readonly warnings: ReadonlyArray<string>
}

/** The settings, when their file can be written, too. */
const decode = (lookup: Decode.Lookup): Effect.Effect<Decode.Settings, ConfigError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const settings = yield* Effect.either(Decode.decode(lookup))
    const logFile = yield* LogFile.mistakeIn(lookup(variables.logFile))
    if (logFile === null) return yield* settings
    const others = Either.isLeft(settings) ? settings.left.mistakes : []
    const [first = logFile, ...more] = [...others, logFile]
    return yield* new ConfigError({ mistakes: [first, ...more] })
  })

/** The settings' tags for the layers of the worker; `log` and `notes` are for the caller that launches them. */
export const layerOf = (settings: Decode.Settings): Layer.Layer<WorkerConfig | AzureConfig | HttpConfig> =>
  Layer.mergeAll(
    Layer.succeed(WorkerConfig, settings.engine),
    Layer.succeed(AzureConfig, settings.azure),
    Layer.succeed(HttpConfig, settings.http)
  )

export const layer: Layer.Layer<
  WorkerConfig | AzureConfig | HttpConfig,
  ConfigError,
  FileSystem.FileSystem | Path.Path
> = Layer.unwrapEffect(Effect.map(load, layerOf))

/**
 * Lets everything above read the `.env` file like the environment, as `${NAME}` in a pipeline does; real variables come first.
 * `tell` gets the sentences about what is not read from the file.
 */
export const layerDotEnvWith = (
  tell: (warning: string) => Effect.Effect<void>
): Layer.Layer<never, ConfigError, FileSystem.FileSystem | Path.Path> =>
  Layer.unwrapEffect(
    Effect.gen(function* () {
      const file = yield* DotEnv.find
      const { provider } = file
      yield* Effect.forEach([...file.warnings, ...MisspeltNames.find(file)], tell, { discard: true })
      const current = yield* Effect.configProviderWith(Effect.succeed)
      return Layer.setConfigProvider(ConfigProvider.orElse(current, () => provider))
    })
  )

export const layerDotEnv = layerDotEnvWith(() => Effect.void)

const all: ReadonlyArray<Variable<unknown>> = Object.values(variables)

const namesOf = (variable: Variable<unknown>): ReadonlyArray<string> => [variable.name, ...variable.aliases]

const storedNames: ReadonlySet<string> = new Set(all.filter((variable) => variable.stored).flatMap(namesOf))

/** What the environment and the file say: a variable that is there and empty hides the file's. */
const localTexts: Effect.Effect<
  { readonly texts: ReadonlyMap<string, Found>; readonly warnings: ReadonlyArray<string> },
  ConfigError,
  FileSystem.FileSystem | Path.Path
> = Effect.gen(function* () {
  const file = yield* DotEnv.find
  const environment = yield* Effect.configProviderWith(Effect.succeed)
  const texts = new Map<string, Found>()
  for (const name of all.flatMap(namesOf)) {
    const real = yield* textIn(environment, name)
    const text = Option.isSome(real) ? real : yield* textIn(file.provider, name)
    const source = Option.isSome(real) ? "the environment" : (file.path ?? "")
    if (Option.isSome(text)) texts.set(name, { text: text.value, source })
  }
  const proxy = Proxy.mistake()
  return { texts, warnings: [...file.warnings, ...MisspeltNames.find(file), ...(proxy === undefined ? [] : [proxy])] }
})

type Stored = ReadonlyMap<string, AppConfiguration.StoredValue>

const storedTexts = Effect.fnUntraced(function* (local: ReadonlyMap<string, Found>) {
  const store = yield* Decode.bootstrap(lookupIn(new Map(), local))
  if (store === null) return new Map() satisfies Stored
  return yield* Effect.provideService(
    AppConfiguration.read(store, storedNames),
    Credentials.Credentials,
    Credentials.make(store.clientId)
  )
})

/** App Configuration failed: report local errors, but not missing values, which it may hold. */
const withLocalMistakes = (
  error: ConfigError,
  local: ReadonlyMap<string, Found>
): Effect.Effect<never, ConfigError, FileSystem.FileSystem> =>
  Effect.flatMap(Effect.either(decode(lookupIn(new Map(), local))), (settings) => {
    const more = Either.isLeft(settings) ? settings.left.mistakes : []
    const wrong = more.filter(({ source }) => source !== nowhere && source !== builtIn)
    return Effect.fail(new ConfigError({ mistakes: [...error.mistakes, ...wrong] }))
  })

const textIn = (provider: ConfigProvider.ConfigProvider, name: string): Effect.Effect<Option.Option<string>> =>
  Effect.option(provider.load(Config.string(name)))

const lookupIn =
  (stored: Stored, local: ReadonlyMap<string, Found>): Decode.Lookup =>
  (variable) => {
    for (const name of namesOf(variable)) {
      const value = variable.stored ? stored.get(name) : undefined
      const found =
        value !== undefined && value.text.trim() !== ""
          ? { text: value.text, source: `App Configuration, key ${value.key}` }
          : local.get(name)
      if (found !== undefined && found.text.trim() !== "") return { ...found, text: found.text.trim() }
    }
    return undefined
  }
