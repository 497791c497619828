import type * as Dice from "./Dice.ts"
import * as World from "./World.ts"

/** The deeds of the people who bring documents: new ones, and now and then a new version of an old one. */
export const make = (dice: Dice.Dice, tasks: number) => {
  const named = Object.values(World.streams).flatMap((stream) => {
    const count = Math.max(1, Math.round((tasks * stream.share) / stream.vaults.length))
    return Array.from({ length: count }, (_, index) => {
      const kind = dice.next() < 0.02 ? "pdf" : "txt"
      return { stream, name: `${stream.name}-${String(index).padStart(4, "0")}.${kind}`, at: dice.next() }
    })
  })
  const again = named.flatMap(({ at, name, stream }) =>
    stream !== World.streams.sent && dice.next() < 0.04 ? [{ stream, name, at: at + (1 - at) * dice.next() }] : []
  )
  return [...named, ...again]
    .sort((one, other) => one.at - other.at)
    .map(({ name, stream }, index) => {
      const marker = `marker-${index}-`
      const bring = stream === World.streams.sent ? World.send : World.upload
      return (world: World.World) => bring(world, stream, name, marker)
    })
}
