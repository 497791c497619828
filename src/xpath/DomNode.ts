/** What we use of a DOM node. */
export interface DomNode {
  /** 1 element, 2 attribute, 3 text, 8 comment, 9 document. */
  readonly nodeType: number
  readonly textContent: string | null
  readonly parentNode: DomNode | null
  readonly childNodes: Iterable<DomNode>
}

export interface DomElement extends DomNode {
  readonly localName: string
  readonly attributes: Iterable<DomAttribute>
  readonly getAttribute: (name: string) => string | null
  readonly append: (...nodes: ReadonlyArray<DomNode>) => void
  readonly setAttribute: (name: string, value: string) => void
  readonly removeAttribute: (name: string) => void
}

export interface DomAttribute extends DomNode {
  readonly name: string
  readonly value: string
}

export interface DomDocument extends DomNode {
  readonly documentElement: DomElement | null
  readonly querySelector: (selector: string) => DomElement | null
  readonly querySelectorAll: (selector: string) => Iterable<DomElement>
  readonly createElement: (name: string) => DomElement
}

export const isElement = (node: DomNode | null, name?: string): node is DomElement =>
  node !== null && node.nodeType === 1 && (name === undefined || ("localName" in node && node.localName === name))

export const isAttribute = (node: DomNode): node is DomAttribute => node.nodeType === 2
