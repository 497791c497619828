import { excerpt, type Position } from "./Cursor.ts"

/** A tag as written: `handle` is null for `!<…>` and the lone `!`. */
export interface TagName {
  readonly handle: string | null
  readonly suffix: string
}

export type Token = { readonly position: Position } & (
  | {
      readonly type:
        | "stream end"
        | "document start"
        | "document end"
        | "block sequence start"
        | "block mapping start"
        | "block end"
        | "["
        | "]"
        | "{"
        | "}"
        | ","
        | "-"
        | "?"
        | ":"
    }
  | { readonly type: "version directive"; readonly major: number }
  | { readonly type: "tag directive"; readonly handle: string; readonly prefix: string }
  | { readonly type: "other directive" }
  | { readonly type: "alias" | "anchor"; readonly name: string }
  | { readonly type: "tag"; readonly tag: TagName }
  | { readonly type: "scalar"; readonly text: string; readonly plain: boolean }
)

/** A token as an error message names it. */
export const describe = (token: Token): string => {
  switch (token.type) {
    case "stream end":
      return "the end of the text"
    case "document start":
      return '"---"'
    case "document end":
      return '"..."'
    case "block sequence start":
    case "-":
      return 'the list mark "-"'
    case "block mapping start":
      return "a mapping"
    case "block end":
      return "a line indented less"
    case "version directive":
    case "tag directive":
    case "other directive":
      return 'a "%" directive'
    case "alias":
      return `the alias *${excerpt(token.name)}`
    case "anchor":
      return `the anchor &${excerpt(token.name)}`
    case "tag":
      return "a tag"
    case "scalar":
      return `the text "${excerpt(token.text)}"`
    default:
      return `"${token.type}"`
  }
}
