import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import type * as Executor from "../executor/Executor.ts"
import type * as Retry from "../executor/Retry.ts"
import * as Settings from "../executor/Settings.ts"
import { isTrue } from "../python/PythonTruth.ts"

/** The settings that every executor type has, and ours: `timeout_seconds`, `retries`, `retry_delay`. */
export const fields = (failOnError: boolean) => ({
  enabled: Settings.boolean({ description: "False takes the node out of the graph.", default: true }),
  condition: Settings.string({
    description: "Items that do not meet it pass the node unchanged, for example data.type == 'invoice'.",
    default: null
  }),
  fail_pipeline_on_error: Settings.boolean({
    description: "Whether an error of the node ends the run; otherwise its items go on with the error in their logs.",
    default: failOnError
  }),
  debug_mode: Settings.boolean({ description: "Logs what goes in and out of the node.", default: false }),
  timeout_seconds: Settings.number({
    description:
      "Seconds that the node may take for all its items, retries included; waiting for a free thread or for the limits of a service does not count. 0 for no bound.",
    default: 0,
    min: 0
  }),
  retries: Settings.integer({
    description:
      "How often to try again what may heal: per item where the type works item by item, else the whole node.",
    default: 0,
    min: 0,
    max: 10
  }),
  retry_delay: Settings.number({
    description: "Seconds before each of these attempts; longer when the service asks for it.",
    default: 1,
    min: 0,
    max: 3600
  }),
  cache: Settings.choice(["off", "task", "shared"], {
    description:
      "What is kept of the node's results: shared finds them again for every document with the same input, task for the same task only (a retry, a redelivery), off keeps none. Default: shared where the work takes a paid service or seconds of computing, else off.",
    default: null
  })
})

/** The same as people need to know them. */
export const infos = ({
  failOnError
}: Pick<Executor.Executor<never>, "failOnError">): Readonly<Record<string, Settings.SettingInfo>> =>
  Object.fromEntries(Object.entries(fields(failOnError)).map(([name, { info }]) => [name, info]))

export interface CommonSettings {
  readonly enabled: boolean
  readonly condition: string | null
  readonly failOnError: boolean
  readonly debug: boolean
  /** For the whole node; null for no bound. */
  readonly timeout: Duration.Duration | null
  readonly retry: Retry.Policy | null
  /** Null where the definition does not say. */
  readonly cache: "off" | "task" | "shared" | null
}

/**
 * The same with `enabled: false` where a node's `enabled` is there and counts as false in Python (null, 0, "", an empty list or
 * mapping): the original leaves such a node out of the graph before it looks at its settings.
 */
export const ofNode = (raw: Fields): Fields =>
  Object.hasOwn(raw, "enabled") && !isTrue(raw["enabled"]) ? { ...raw, enabled: false } : raw

/** What a node's common settings say that is hardly meant. */
export const advise = (raw: Fields): ReadonlyArray<Settings.SettingProblem> =>
  Object.hasOwn(raw, "enabled") && raw["enabled"] !== false && !isTrue(raw["enabled"])
    ? [
        {
          path: ["enabled"],
          message: "The setting enabled counts as false, so the node is left out; write true or false."
        }
      ]
    : []

type Fields = Readonly<Record<string, unknown>>

/** The common settings of a node of this type. A type that has a setting of the same name keeps it for itself. */
export const decode = (
  executor: Executor.Executor<never>,
  raw: Readonly<Record<string, unknown>>
): Either.Either<CommonSettings, ReadonlyArray<Settings.SettingProblem>> =>
  Either.map((executor.failOnError ? failing : forgiving)(raw), (settings) => {
    const own = new Set(Object.keys(executor.settings))
    return {
      enabled: settings.enabled,
      condition: settings.condition,
      failOnError: settings.fail_pipeline_on_error,
      debug: settings.debug_mode,
      timeout:
        settings.timeout_seconds > 0 && !own.has("timeout_seconds") ? Duration.seconds(settings.timeout_seconds) : null,
      retry:
        settings.retries > 0 && !own.has("retries")
          ? { times: settings.retries, delay: Duration.seconds(settings.retry_delay) }
          : null,
      cache: own.has("cache") ? null : settings.cache
    }
  })

const failing = Settings.decoder(fields(true))
const forgiving = Settings.decoder(fields(false))
