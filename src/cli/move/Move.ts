import * as Schema from "effect/Schema"
import { aligned } from "../Columns.ts"
import { plain } from "../run/ProblemLine.ts"

/** Nothing, or not everything, was moved; `message` says why, what was written all the same, and the way out. */
export class MoveFailed extends Schema.TaggedError<MoveFailed>()("MoveFailed", { message: Schema.String }) {}

export interface MoveOptions {
  /** Writes; without it the changes are only told. */
  readonly yes: boolean
  /** Overwrites what is there and differs. */
  readonly replace: boolean
}

/** `conflict`: it can't be written, whatever the options say. */
export type Kind = "create" | "replace" | "same" | "conflict"

/** What becomes of one pipeline, vault or file. */
export interface Change {
  readonly kind: Kind
  /** `pipeline` or `vault`. */
  readonly of: string
  readonly name: string
  /** Where it comes from, or why it can't be written. */
  readonly note: string
}

export const print = (changes: ReadonlyArray<Change>): string =>
  aligned(changes.map(({ kind, name, note, of }) => [`  ${kind}`, of, plain(name), plain(note)]))

/** Why these changes can't be made; undefined when they can. Nothing is written while one of them can't be. */
export const refusal = (changes: ReadonlyArray<Change>, options: MoveOptions): MoveFailed | undefined => {
  const conflicts = changes.filter(({ kind }) => kind === "conflict").length
  if (conflicts > 0) {
    return new MoveFailed({
      message: `Nothing was written: ${conflicts} of these can't be, for the reasons beside them. Change that, and run it again.`
    })
  }
  const replaced = changes.filter(({ kind }) => kind === "replace").length
  return replaced > 0 && !options.replace
    ? new MoveFailed({
        message: `Nothing was written: ${replaced} of these exist already and differ. Add --replace to overwrite them.`
      })
    : undefined
}

export const isDone = (changes: ReadonlyArray<Change>): boolean => changes.every(({ kind }) => kind === "same")
