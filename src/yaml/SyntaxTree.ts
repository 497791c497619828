import type { Position } from "./Cursor.ts"

/** A node as written: its tag is known, its value is not read yet. An alias is the very node it stands for. */
export type SyntaxNode = ScalarNode | SequenceNode | MappingNode

/** Where the node starts, its tag and anchor included. */
interface Located {
  readonly tag: string
  readonly position: Position
}

export interface ScalarNode extends Located {
  readonly kind: "scalar"
  readonly text: string
}

export interface SequenceNode extends Located {
  readonly kind: "sequence"
  readonly items: Array<SyntaxNode>
}

export interface MappingNode extends Located {
  readonly kind: "mapping"
  readonly entries: Array<readonly [key: SyntaxNode, value: SyntaxNode]>
}

const yamlTag = "tag:yaml.org,2002:"

/** The full name of one of YAML's own tags. */
export const tagOf = (name: string): string => yamlTag + name

/** A tag as people write it: `!!int` for YAML's own. */
export const shortTag = (tag: string): string => (tag.startsWith(yamlTag) ? `!!${tag.slice(yamlTag.length)}` : tag)
