import { Document, isMap, isSeq, parseDocument } from "yaml"

/** A vault as `contentflow.yaml` has it. */
export interface Entry {
  readonly name: string
  readonly pipeline: string
  readonly enabled: boolean
  readonly keepsItems: boolean
}

/** A project's file with its comments, which edits leave alone. */
export interface ProjectFile {
  readonly entries: ReadonlyArray<Entry>
  readonly text: string
  /** The text with these vaults: known names are changed, others come at the end. */
  readonly withVaults: (vaults: ReadonlyArray<Entry>) => string
}

/** `text` is what our own reader has accepted; undefined when there is no file. */
export const read = (text: string | undefined): ProjectFile => {
  const listed = entriesOf(parseDocument(text ?? "", { version: "1.1" }))
  return {
    text: text ?? "",
    entries: listed.map(({ entry }) => entry),
    withVaults: (vaults) => {
      const document =
        text === undefined ? new Document({}, { version: "1.1" }) : parseDocument(text, { version: "1.1" })
      if (text === undefined) document.commentBefore = " Written by: contentflow-worker pull"
      // A file of comments alone, or a key without a value.
      if (!isMap(document.contents)) document.contents = document.createNode({}) as typeof document.contents
      if (!isSeq(document.get("vaults"))) document.set("vaults", document.createNode([]))
      const known = new Map(entriesOf(document).map(({ entry, index }) => [entry.name, { entry, index }]))
      for (const vault of vaults) {
        const before = known.get(vault.name)
        if (before === undefined) document.addIn(["vaults"], document.createNode(shown(vault)))
        else {
          for (const [key, property] of [
            ["enabled", "enabled"],
            ["keepsItems", "save_execution_output"]
          ] as const) {
            if (before.entry[key] !== vault[key]) document.setIn(["vaults", before.index, property], vault[key])
          }
        }
      }
      return document.toString({ lineWidth: 0 })
    }
  }
}

const shown = ({ enabled, keepsItems, name, pipeline }: Entry) => ({
  name,
  pipeline,
  ...(enabled ? {} : { enabled }),
  ...(keepsItems ? { save_execution_output: true } : {})
})

const entriesOf = (document: Document.Parsed | Document) => {
  const vaults = document.get("vaults")
  if (!isSeq(vaults)) return []
  return vaults.items.map((item, index) => {
    const of = (key: string): unknown => (isMap(item) ? item.get(key) : undefined)
    const name = of("name")
    const pipeline = of("pipeline")
    const entry: Entry = {
      name: typeof name === "string" ? name : `vault-${index + 1}`,
      pipeline: typeof pipeline === "string" ? pipeline : "",
      enabled: of("enabled") !== false,
      keepsItems: of("save_execution_output") === true
    }
    return { index, entry }
  })
}
