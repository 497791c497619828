import type { Position } from "./Cursor.ts"

/** A value of a YAML text and the place where it starts. What an alias repeats is the same object, placed where it was written. */
export type YamlNode = YamlKey | YamlList | YamlTuple | YamlSet | YamlMap

/** A value that can also be a key. */
export type YamlKey = Position &
  (
    | { readonly kind: "null" }
    | { readonly kind: "bool"; readonly value: boolean }
    | { readonly kind: "int"; readonly value: bigint }
    | { readonly kind: "float"; readonly value: number }
    | { readonly kind: "str"; readonly value: string }
    | { readonly kind: "binary"; readonly value: Uint8Array }
    /** `value` is `YYYY-MM-DD`. */
    | { readonly kind: "date"; readonly value: string }
    /** `value` is as Python's `isoformat()` writes it; `offset` tells whether it ends with an offset from UTC. */
    | { readonly kind: "datetime"; readonly value: string; readonly offset: boolean }
  )

export interface YamlList extends Position {
  readonly kind: "list"
  readonly items: ReadonlyArray<YamlNode>
}

/** A pair of `!!omap` or `!!pairs`. */
export interface YamlTuple extends Position {
  readonly kind: "tuple"
  readonly items: readonly [key: YamlNode, value: YamlNode]
}

export interface YamlSet extends Position {
  readonly kind: "set"
  readonly items: ReadonlyArray<YamlKey>
}

/** No two keys are equal; the order is that of their first mention, merged keys first. */
export interface YamlMap extends Position {
  readonly kind: "map"
  readonly entries: ReadonlyArray<readonly [key: YamlKey, value: YamlNode]>
}
