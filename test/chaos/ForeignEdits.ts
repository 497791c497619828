import { Effect } from "effect"
import type { Dice } from "./Dice.ts"
import type { Traffic } from "./Traffic.ts"
import * as World from "./World.ts"

/** A field that somebody else added to an execution. */
export interface Edit {
  readonly executionId: string
  readonly field: string
  readonly value: string
}

/** Executions that were begun last are the most likely to run. */
const recent = 12

/** People and programs that add fields to executions, whatever state these are in: notes by a patch, tags as a whole document under its ETag. */
export const make = (world: World.World, traffic: Pick<Traffic, "messages" | "starts">, dice: Dice) => {
  const done: Array<Edit> = []
  let number = 0

  const candidates = () => [
    ...[...traffic.starts.keys()].slice(-recent),
    ...[...traffic.messages.values()].slice(-recent).flatMap(({ executionId }) => executionId ?? [])
  ]

  const patch = (id: string, field: string, value: string) =>
    Effect.tryPromise(() => world.documents.executions.item(id, id).patch([{ op: "add", path: `/${field}`, value }]))

  const replace = Effect.fnUntraced(function* (id: string, field: string, value: string) {
    const item = world.documents.executions.item(id, id)
    const { etag, resource } = yield* Effect.tryPromise(() => item.read<object>())
    if (resource === undefined) return yield* Effect.fail("deleted")
    yield* Effect.tryPromise(() =>
      item.replace({ ...resource, id, [field]: value }, { accessCondition: { type: "IfMatch", condition: etag } })
    )
  })

  return {
    done,
    /** An edit that meets another's, or whose answer is lost, is nobody's promise. */
    edit: Effect.gen(function* () {
      const ids = candidates()
      if (ids.length === 0) return
      const executionId = dice.oneOf(ids)
      const byPatch = dice.next() < 0.5
      const edit: Edit = { executionId, field: `${byPatch ? "note" : "tag"}_${++number}`, value: `by hand ${number}` }
      const write = byPatch ? patch : replace
      yield* Effect.ignore(
        Effect.tap(write(edit.executionId, edit.field, edit.value), () => Effect.sync(() => done.push(edit)))
      )
    })
  }
}

export type ForeignEdits = ReturnType<typeof make>
