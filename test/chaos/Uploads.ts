import { Effect } from "effect"
import type * as Dice from "./Dice.ts"
import type { Trial } from "./Trials.ts"
import * as World from "./World.ts"

/** Something that is done with a document, and when: between 0, the beginning, and 1, the end. */
export interface Deed {
  readonly at: number
  readonly does: "bring" | "remove" | "bring and remove"
  readonly draft: World.Draft
  readonly act: (world: World.World) => Effect.Effect<ReadonlyArray<Happened>>
}

export type Happened =
  | { readonly _tag: "Brought"; readonly version: World.Version }
  | { readonly _tag: "Removed"; readonly document: string }

export interface Plan {
  readonly dice: Dice.Dice
  /** How many tasks there are, more or less. */
  readonly tasks: number
  /** How long the documents take to come. */
  readonly millis: number
  /** How many documents kill their worker. */
  readonly killers: number
  readonly trials: ReadonlySet<Trial>
}

/**
 * The deeds of the people who bring documents, in their order: new ones, now and then a new version of an old one or its deletion, at any time
 * later or within seconds, when its task waits or runs.
 */
export const make = ({ dice, killers, millis, tasks, trials }: Plan): ReadonlyArray<Deed> => {
  const used = Object.values(World.streams).filter((stream) => stream !== World.streams.slow || trials.has("slow"))
  const first = used.flatMap((stream) => {
    const count = Math.max(1, Math.round((tasks * stream.share) / stream.vaults.length))
    return Array.from({ length: count }, (_, index): Planned => {
      const broken = dice.next() < 0.02
      const name = `${stream.name}-${String(index).padStart(4, "0")}.${broken ? "pdf" : "txt"}`
      return { stream, name, contents: broken ? { _tag: "Broken" } : sound(stream), at: dice.next(), removes: false }
    })
  })

  function sound(stream: World.Stream): World.Contents {
    return { _tag: "Sound", lingersMillis: stream === World.streams.slow ? dice.between(2_000, 20_000) : 0 }
  }

  const soon = (at: number) => at + dice.between(500, 8_000) / millis
  const later = (at: number) => at + (1 - at) * dice.next()
  const again = first.flatMap((one): ReadonlyArray<Planned> => {
    if (one.stream === World.streams.sent) return []
    const share = one.stream === World.streams.slow ? 0.3 : 0.05
    if (dice.next() >= share) return []
    const contents = one.contents._tag === "Broken" ? one.contents : sound(one.stream)
    return [{ ...one, contents, at: dice.next() < 0.5 ? soon(one.at) : later(one.at) }]
  })
  const replaced = new Set(again.map(World.keyOf))
  const removals = first.flatMap((one): ReadonlyArray<Planned> => {
    if (!trials.has("deletions") || one.stream === World.streams.sent || replaced.has(World.keyOf(one))) return []
    if (dice.next() >= (one.stream === World.streams.slow ? 0.15 : 0.05)) return []
    return [{ ...one, removes: true, at: dice.next() < 0.7 ? soon(one.at) : later(one.at) }]
  })
  const deadly = Array.from({ length: trials.has("killers") ? killers : 0 }, (_, index): Planned => {
    const name = `slow-killer-${index}.txt`
    return { stream: World.streams.slow, name, contents: { _tag: "Killer" }, at: dice.next() * 0.7, removes: false }
  })

  return [...first, ...again, ...removals, ...deadly]
    .sort((one, other) => one.at - other.at)
    .map(({ at, contents, name, removes, stream }, index): Deed => {
      const draft: World.Draft = { stream, name, contents, marker: `marker-${index}-` }
      const removed: Happened = { _tag: "Removed", document: World.keyOf(draft) }
      if (removes) {
        return { at, does: "remove", draft, act: (world) => Effect.as(World.remove(world, draft), [removed]) }
      }
      if (stream !== World.streams.sent) {
        const act: Deed["act"] = (world) => Effect.map(World.upload(world, draft), (version) => [brought(version)])
        return { at, does: "bring", draft, act }
      }
      const deleted = trials.has("deletions") && dice.next() < 0.2
      const act: Deed["act"] = (world) =>
        Effect.map(World.send(world, draft, deleted), (version) => [brought(version), ...(deleted ? [removed] : [])])
      return { at, does: deleted ? "bring and remove" : "bring", draft, act }
    })
}

const brought = (version: World.Version): Happened => ({ _tag: "Brought", version })

interface Planned extends Omit<World.Draft, "marker">, Pick<Deed, "at"> {
  readonly removes: boolean
}
