import { Effect } from "effect"
import type * as Dice from "./Dice.ts"
import type { Trial } from "./Trials.ts"
import * as World from "./World.ts"

/** Something that is done with a document, and when: between 0, the beginning, and 1, the end. */
export interface Deed {
  readonly at: number
  readonly does: "bring" | "remove" | "bring and remove"
  readonly draft: World.Draft
  /** Deeds of one life are done in their order, each by itself: one that comes late delays the others. */
  readonly life?: string | undefined
  /** It is done when the outputs of this version are there, and not before. */
  readonly waitsFor?: World.Draft | undefined
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
 * later or within seconds, when its task waits or runs. Those whose outputs follow them are also renamed, and come back.
 */
export const make = ({ dice, killers, millis, tasks, trials }: Plan): ReadonlyArray<Deed> => {
  const used = Object.values(World.streams).filter(
    (stream) =>
      (stream !== World.streams.slow || trials.has("slow")) &&
      (stream !== World.streams.followed || trials.has("followed"))
  )
  const first = used.flatMap((stream) => {
    const count = Math.max(1, Math.round((tasks * stream.share) / stream.vaults.length))
    return Array.from({ length: count }, (_, index): Planned => {
      const broken = dice.next() < 0.02
      const name = `${stream.name}-${String(index).padStart(4, "0")}.${broken ? "pdf" : "txt"}`
      return { stream, name, contents: broken ? { _tag: "Broken" } : sound(stream), at: dice.next(), removes: false }
    })
  })

  function sound(stream: World.Stream): World.Contents {
    if (stream === World.streams.followed) {
      return {
        _tag: "Sound",
        lingersMillis: dice.next() < 0.2 ? dice.between(1_000, 10_000) : 0,
        rows: dice.between(1, 4)
      }
    }
    return { _tag: "Sound", lingersMillis: stream === World.streams.slow ? dice.between(2_000, 20_000) : 0 }
  }

  const soon = (at: number) => at + dice.between(500, 8_000) / millis
  const later = (at: number) => at + (1 - at) * dice.next()
  const again = first.flatMap((one): ReadonlyArray<Planned> => {
    if (one.stream === World.streams.sent || one.stream === World.streams.followed) return []
    const share = one.stream === World.streams.slow ? 0.3 : 0.05
    if (dice.next() >= share) return []
    const contents = one.contents._tag === "Broken" ? one.contents : sound(one.stream)
    return [{ ...one, contents, at: dice.next() < 0.5 ? soon(one.at) : later(one.at) }]
  })
  const replaced = new Set(again.map(World.keyOf))
  const removals = first.flatMap((one): ReadonlyArray<Planned> => {
    if (!trials.has("deletions") || one.stream === World.streams.sent || replaced.has(World.keyOf(one))) return []
    if (one.stream === World.streams.followed) return []
    if (dice.next() >= (one.stream === World.streams.slow ? 0.15 : 0.05)) return []
    return [{ ...one, removes: true, at: dice.next() < 0.7 ? soon(one.at) : later(one.at) }]
  })
  const deadly = Array.from({ length: trials.has("killers") ? killers : 0 }, (_, index): Planned => {
    const name = `slow-killer-${index}.txt`
    return { stream: World.streams.slow, name, contents: { _tag: "Killer" }, at: dice.next() * 0.7, removes: false }
  })

  /** What becomes of a document whose outputs follow it: replaced, renamed, or deleted and perhaps there again. */
  const life = (one: Planned): ReadonlyArray<Planned> => {
    const deeds: Array<Planned> = []
    let now = one
    for (let step = 0; step < 3; step++) {
      const waitsFor = dice.next() < 0.6 ? now : undefined
      const at = dice.next() < 0.5 ? soon(now.at) : later(now.at)
      const roll = dice.next()
      if (roll < 0.25) {
        now = { ...now, contents: sound(now.stream), at, textOf: undefined, waitsFor }
        deeds.push(now)
      } else if (roll < 0.45) {
        if (!trials.has("renames")) continue
        // What renames is two calls, in either order, with a moment in between.
        const gap = dice.between(-4_000, 4_000) / millis
        const name = now.name.replace(/^(.*?)(?:-as-\d+)?\.txt$/, `$1-as-${step + 1}.txt`)
        const goneAt = Math.max(at + gap, (now.at + at) / 2)
        deeds.push({ ...now, removes: true, at: goneAt, waitsFor: goneAt < at ? waitsFor : undefined })
        now = { ...now, name, at, textOf: now.textOf ?? now, waitsFor: goneAt < at ? undefined : waitsFor }
        deeds.push(now)
      } else if (roll < 0.6 && trials.has("deletions")) {
        deeds.push({ ...now, removes: true, at, waitsFor })
        const back = dice.next() < 0.5 ? soon(at) : later(at)
        if (dice.next() < 0.5) return deeds
        now = { ...now, at: back, textOf: now.textOf ?? now, waitsFor: undefined }
        deeds.push(now)
      } else return deeds
    }
    return deeds
  }
  const lives = first.flatMap((one) =>
    one.stream === World.streams.followed && one.contents._tag === "Sound"
      ? life(one).map((deed) => ({ ...deed, life: one.name }))
      : []
  )

  const all = [...first, ...again, ...removals, ...deadly, ...lives].sort((one, other) => one.at - other.at)
  const numbers = new Map(all.map((one, index) => [idOf(one), index]))
  const draftOf = (planned: Planned): World.Draft => {
    const { contents, name, stream, textOf = planned } = planned
    return { stream, name, contents, marker: `marker-${numbers.get(idOf(textOf)) ?? -1}-` }
  }
  return all.map((planned): Deed => {
    const { at, removes, stream } = planned
    const draft = draftOf(planned)
    const life = stream === World.streams.followed ? (planned.life ?? planned.name) : undefined
    const waitsFor = planned.waitsFor === undefined ? undefined : draftOf(planned.waitsFor)
    const removed: Happened = { _tag: "Removed", document: World.keyOf(draft) }
    if (removes) {
      const act: Deed["act"] = (world) => Effect.as(World.remove(world, draft), [removed])
      return { at, does: "remove", draft, life, waitsFor, act }
    }
    if (stream !== World.streams.sent) {
      const act: Deed["act"] = (world) => Effect.map(World.upload(world, draft), (version) => [brought(version)])
      return { at, does: "bring", draft, life, waitsFor, act }
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
  /** The version whose text this one has; its own where that is undefined. */
  readonly textOf?: Planned | undefined
  readonly waitsFor?: Planned | undefined
  /** The first name of a document that may get others. */
  readonly life?: string
}

/** No two deeds do the same with one document at the same moment. */
const idOf = ({ at, name, removes }: Planned): string => `${name} ${at} ${removes}`
