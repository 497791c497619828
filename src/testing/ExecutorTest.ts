import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { Content } from "../domain/Content.ts"
import { ExecutorId } from "../domain/Ids.ts"
import type { Executor, ExecutorContext, ExecutorError, ExecutorInstance } from "../executor/Executor.ts"
import * as NearestName from "../text/NearestName.ts"

/** The settings of a node are wrong, or nothing reads them: each with its reason. */
export class SettingsRefused extends Schema.TaggedError<SettingsRefused>()("SettingsRefused", {
  message: Schema.String
}) {}

/**
 * A node of this type, ready to work until the scope closes. Unlike a worker, which ignores settings that it does not know, it refuses them: in a test they are slips.
 */
export const node = <R>(
  executor: Executor<R>,
  settings: Readonly<Record<string, unknown>> = {},
  context: Partial<ExecutorContext> = {}
): Effect.Effect<ExecutorInstance, ExecutorError | SettingsRefused, R | Scope.Scope> =>
  Effect.gen(function* () {
    const unread = Object.keys(settings)
      .filter((name) => !Object.hasOwn(executor.settings, name))
      .map((name) => unreadOf(executor, name))
    const prepared = executor.prepare(settings)
    const wrong = Either.isLeft(prepared) ? prepared.left.map(({ message }) => message) : []
    if (Either.isLeft(prepared) || unread.length > 0) {
      return yield* new SettingsRefused({ message: [...unread, ...wrong].join("\n") })
    }
    const id = ExecutorId.make("node")
    return yield* prepared.right({ id, pipelineName: "test", failOnError: executor.failOnError, ...context })
  })

const unreadOf = <R>(executor: Executor<R>, name: string): string => {
  const nearest = NearestName.find(name, Object.keys(executor.settings))
  return `${executor.type} has no setting ${name}.${nearest === undefined ? "" : ` Did you mean ${nearest}?`}`
}

/** What a node of this type makes of these items. */
export const process = <R>(
  executor: Executor<R>,
  settings: Readonly<Record<string, unknown>>,
  items: ReadonlyArray<Content>
) => Effect.scoped(Effect.flatMap(node(executor, settings), (instance) => instance.process(items)))

/** An item with this id and this data. */
export const item = (id: string, data: Readonly<Record<string, unknown>> = {}): Content =>
  Schema.decodeUnknownSync(Content)({ id: { canonical_id: id, unique_id: id }, data })
