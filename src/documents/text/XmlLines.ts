/** Receives the elements of an XML document in order, and makes its text of them. */
export interface XmlLines {
  readonly open: (element: XmlStart) => void
  readonly text: (text: string) => void
  readonly close: (element: XmlName) => void
  readonly lines: () => ReadonlyArray<string>
}

export interface XmlName {
  /** Without a prefix. */
  readonly local: string
  /** The namespace; empty where none is declared. */
  readonly uri: string
}

export interface XmlStart extends XmlName {
  /** By their names as written. */
  readonly attributes: Readonly<Record<string, string>>
}
