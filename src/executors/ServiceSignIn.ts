import * as Duration from "effect/Duration"
import type * as Redacted from "effect/Redacted"
import type { ExecutorContext } from "../executor/Executor.ts"
import { ExecutorError } from "../executor/ExecutorError.ts"
import * as Settings from "../executor/Settings.ts"
import * as Endpoint from "../services/Endpoint.ts"
import type { ClientOptions, SignIn } from "../services/ServiceClients.ts"
import * as Either from "effect/Either"

/** How to sign in to an analysis or search service. */
export const type = <const V extends string>(values: ReadonlyArray<V | "default_azure_credential">, key: string) =>
  Settings.choice<V | "default_azure_credential", { description: string; default: "default_azure_credential" }>(
    values,
    {
      description: `How to sign in: as the worker's own identity, which only Azure's hosts and those in SERVICE_HOST_ALLOWLIST get, or with ${key}.`,
      default: "default_azure_credential"
    }
  )

export const retries = {
  max_retries: Settings.pace(
    Settings.integer({
      description:
        "Calls after the first, when a call failed for a reason that may pass. Waiting for rate limits is none.",
      default: 3,
      min: 0,
      max: 20
    })
  ),
  retry_backoff_seconds: Settings.pace(
    Settings.number({
      description: "Seconds before the second call; each further wait is twice as long.",
      default: 1,
      min: 0
    })
  )
}

export const retriesOf = (given: {
  readonly max_retries: number
  readonly retry_backoff_seconds: number
}): ClientOptions["retries"] => ({
  times: given.max_retries,
  delay: Duration.seconds(given.retry_backoff_seconds),
  factor: 2
})

export const requestsPerMinute = Settings.pace(
  Settings.integer({
    description:
      "Calls a minute that this process may make. Without it, the process finds out from the service's answers.",
    default: null,
    min: 1
  })
)

type Named<A> = readonly [name: string, value: A]

/** What is wrong with the settings that say where a service is, and how to sign in. */
export const problems = ({
  endpoint,
  key,
  type: kind
}: {
  readonly endpoint: Named<string>
  readonly type: Named<string>
  readonly key: Named<Redacted.Redacted | null>
}): ReadonlyArray<Settings.SettingProblem> => [
  ...Either.match(Endpoint.parse(endpoint[1]), {
    onLeft: (problem) => [{ path: [endpoint[0]], message: `The setting ${endpoint[0]} ${problem}` }],
    onRight: () => []
  }),
  ...(kind[1] !== "default_azure_credential" && key[1] === null
    ? [{ path: [key[0]], message: `The setting ${key[0]} is required, because ${kind[0]} is ${kind[1]}.` }]
    : [])
]

/** What is wrong with a name in a setting: it is still what an example or a form put there, or none that the service has. */
export const named = (
  setting: string,
  value: string,
  isName: boolean,
  must: string
): ReadonlyArray<Settings.SettingProblem> => {
  const problem = Endpoint.isPlaceholder(value)
    ? `is still the placeholder ${JSON.stringify(value)}: put the name of yours there.`
    : isName
      ? undefined
      : must
  return problem === undefined ? [] : [{ path: [setting], message: `The setting ${setting} ${problem}` }]
}

/** With the key, or without one as the worker's identity; this machine's stand-ins are called with nothing. */
export const of = (header: string, scope: string, key: Redacted.Redacted | null): SignIn =>
  key === null ? { _tag: "Identity", scope, orNone: true } : { _tag: "Key", header, prefix: "", key }

/** The node's settings are wrong in a way that only shows when it is built. */
export const settingError = (context: Pick<ExecutorContext, "id">, message: string): ExecutorError =>
  new ExecutorError({ reason: "Setting", executorId: context.id, itemId: null, message: `${context.id}: ${message}` })
