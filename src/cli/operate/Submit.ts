import * as Console from "effect/Console"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Installation } from "../../operations/Installation.ts"
import * as Items from "../run/Items.ts"
import { wrongUsage } from "../WrongUsage.ts"
import * as ExecutionCommands from "./Executions.ts"
import * as Operator from "./Operator.ts"
import * as Place from "./Place.ts"

export interface SubmitOptions extends Place.Place {
  readonly pipeline: string
  /** A JSON list of items; `-` is standard input. */
  readonly items: string
  readonly vault: Option.Option<string>
  readonly key: Option.Option<string>
  /** Seconds to wait for the result. */
  readonly wait: Option.Option<number>
  readonly json: boolean
}

/** As many as one task takes. */
const mostItems = 10_000

/** Makes a task of items. Gives the exit code: with `wait`, 3 when its execution failed, 1 when it has not ended in time. */
export const submit = (options: SubmitOptions) =>
  Effect.gen(function* () {
    const { json } = options
    const items = yield* Items.read(options.items)
    if (items.length === 0 || items.length > mostItems) {
      return yield* wrongUsage(`--items takes 1 to ${mostItems} items, and this has ${items.length}.`)
    }
    return yield* Effect.gen(function* () {
      const { executions, submissions } = yield* Installation
      const submitted = yield* submissions.submit(
        {
          pipeline: options.pipeline,
          ...(Option.isSome(options.vault) ? { vault_id: options.vault.value } : {}),
          content: items.map(({ data, id, summary_data }) => ({ ...(id === null ? {} : { id }), data, summary_data }))
        },
        Operator.name(),
        Option.getOrUndefined(options.key)
      )
      const { created, execution_id } = submitted
      if (Option.isNone(options.wait)) {
        yield* Console.log(
          json ? JSON.stringify(submitted) : `${execution_id}${created ? "" : ": submitted before with this key"}`
        )
        return 0
      }
      if (!(yield* submissions.wait(execution_id, Duration.seconds(options.wait.value)))) {
        yield* Console.error(
          `${execution_id} has not ended after ${options.wait.value} seconds. Look again with: contentflow-worker executions show ${execution_id}`
        )
        return 1
      }
      const details = yield* executions.show(execution_id)
      yield* Console.log(json ? JSON.stringify(details, null, 2) : ExecutionCommands.describe(details))
      return details.execution["status"] === "completed" ? 0 : 3
    }).pipe(Place.at(options))
  })
