import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Random from "effect/Random"
import { Control, nothingAsked } from "../domain/Control.ts"
import * as ServiceError from "../domain/ServiceError.ts"
import * as DocumentContainer from "./DocumentContainer.ts"

const id = "contentflow-control"

/** What is asked of the fleet, as it is stored. */
export interface Seen {
  readonly control: Control
  /** Null where nothing was ever asked. */
  readonly etag: string | null
  /** When the store answered, in its clock: epoch milliseconds. */
  readonly servedAt: number
}

/** How often others may write in between. Each write is of a person, or of an operation's next step. */
const mostTries = 20

/** What was asked longer ago than this has been seen by everybody. */
const forgottenAfter = 60 * 60_000

export const make = (container: DocumentContainer.DocumentContainer) => {
  const decode = DocumentContainer.decoderOf(container, Control)

  /** Undefined: nothing was written since `known`. */
  const look = (known?: string): Effect.Effect<Seen | undefined, ServiceError.ServiceError> =>
    Effect.flatMap(
      container.read(id, known),
      DocumentContainer.Reading.$match({
        Unchanged: () => Either.right(undefined),
        Missing: ({ servedAt }) => Either.right({ control: nothingAsked, etag: null, servedAt }),
        Found: ({ document, etag, servedAt }) =>
          Either.map(decode(document), (control) => ({ control, etag, servedAt }))
      })
    )

  /** Changes what is asked, safely beside others that do so at the same time. `change` gets the store's time, and gives undefined to leave all as it is. */
  const update = Effect.fnUntraced(function* (
    change: (control: Control, now: number) => Control | undefined
  ): Effect.fn.Return<Seen, ServiceError.ServiceError> {
    for (let tries = 0; tries < mostTries; tries++) {
      const seen = yield* look()
      if (seen === undefined) continue
      const changed = change(seen.control, seen.servedAt)
      if (changed === undefined) return seen
      const control = tidied(changed, seen.servedAt)
      // It never goes by itself, whatever the container does with other documents.
      const document = { id, kind: "control", ttl: -1, ...control }
      const written = yield* seen.etag === null ? container.create(document) : container.replace(document, seen.etag)
      if (written._tag === "Written") return { control, etag: written.etag, servedAt: seen.servedAt }
      yield* Effect.sleep(yield* Random.nextIntBetween(5, 50 * (tries + 1)))
    }
    return yield* new ServiceError.Conflict({
      service: ServiceError.cosmosDb,
      operation: `replace ${container.name}/${id}`,
      message: "Too many others change what the workers are told at this moment. Try again."
    })
  })

  return { look, update }
}

const tidied = (control: Control, now: number): Control => ({
  ...control,
  cancelled_attempts: recent(control.cancelled_attempts, now),
  crawls: recent(control.crawls, now),
  drains: control.drains
})

const recent = (moments: Readonly<Record<string, number>>, now: number): Readonly<Record<string, number>> =>
  Object.fromEntries(Object.entries(moments).filter(([, at]) => at > now - forgottenAfter))
