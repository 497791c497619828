import { Effect, Random } from "effect"

/** Random numbers that are the same for the same seed. */
export interface Dice {
  /** From 0 (included) to 1. */
  readonly next: () => number
  /** A whole number from `least` to `most`, both included. */
  readonly between: (least: number, most: number) => number
  /** One of some, of which there is at least one. */
  readonly oneOf: <A>(some: ReadonlyArray<A>) => A
}

/** Dice of one purpose: what one purpose rolls changes nothing for the others. */
export const make = (seed: number, purpose: string): Dice => {
  const random = Random.make(`${seed} ${purpose}`)
  const next = () => Effect.runSync(random.next)
  const between = (least: number, most: number) => least + Math.floor(next() * (most - least + 1))
  return { next, between, oneOf: (some) => some[between(0, some.length - 1)]! }
}
