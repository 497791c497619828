import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import { localAccount } from "../../FolderWorker.ts"
import * as AzureBlobInputDiscovery from "../../executors/input/AzureBlobInputDiscovery.ts"
import * as AzureBlobOutput from "../../executors/output/AzureBlobOutput.ts"
import * as Yaml from "../../yaml/Yaml.ts"

type Fields = Readonly<Record<string, unknown>>

/** A container of blobs as a definition names it. */
export interface Place {
  readonly account: string
  readonly container: string
}

export interface Connected {
  readonly yaml: string
  /** The container that the pipeline looks for documents in. */
  readonly documents: Place | undefined
  /** The containers that it writes to. */
  readonly outputs: ReadonlyArray<Place>
}

/**
 * The definition as a vault runs it: with a container of its own for the documents of its folder where there is one. A definition that begins without
 * an executor that finds documents gets one, and one that fetches them where it has none either. Any other text stays as it is, with its
 * lines for messages. What is no definition is left to the compiler, who says why.
 */
export const connect = (text: string, container: string | null, account = localAccount): Connected => {
  const read = Either.map(Yaml.parse(text), ({ value }) => Yaml.toPlain(value))
  const unchanged: Connected = { yaml: text, documents: undefined, outputs: [] }
  if (Either.isLeft(read) || !isFields(read.right)) return unchanged
  const { definition, put } = mainOf(read.right)
  if (definition === undefined) return unchanged
  const nodes = listOf(definition["executors"])
  const outputs = nodes
    .filter((node) => isOf(AzureBlobOutput.executor, node))
    .flatMap((node) => placeOf(settingsOf(node), "storage_account_name", "container_name"))
  const finder = nodes.find((node) => isOf(AzureBlobInputDiscovery.executor, node))
  if (container === null) {
    const documents =
      finder === undefined ? [] : placeOf(settingsOf(finder), "blob_storage_account", "blob_container_name")
    return { yaml: text, documents: documents[0], outputs }
  }
  const documents = { account, container }
  const changed =
    finder === undefined ? begun(definition, nodes, documents) : listing(definition, nodes, finder, documents)
  return { yaml: changed === definition ? text : written(put(changed)), documents, outputs }
}

/** The finder lists the vault's folder. */
const listing = (
  definition: Fields,
  nodes: ReadonlyArray<Fields>,
  finder: Fields,
  { account, container }: Place
): Fields => {
  const { blob_storage_account_key: _, blob_storage_credential_type: __, ...settings } = settingsOf(finder)
  if (settings["blob_storage_account"] === account && settings["blob_container_name"] === container) return definition
  const connected = {
    ...finder,
    settings: { ...settings, blob_storage_account: account, blob_container_name: container }
  }
  return { ...definition, executors: nodes.map((node) => (node === finder ? connected : node)) }
}

/** With nodes before the first ones that find and fetch the documents. */
const begun = (definition: Fields, nodes: ReadonlyArray<Fields>, { account, container }: Place): Fields => {
  const ids = new Set(nodes.map((node) => node["id"]))
  const free = (name: string): string => (ids.has(name) ? free(`${name}_`) : name)
  const discover = {
    id: free("discover"),
    type: AzureBlobInputDiscovery.executor.type,
    settings: { blob_storage_account: account, blob_container_name: container }
  }
  const fetches = nodes.some(({ type }) => type === "content_retriever" || type === "azure_blob_content_retriever")
  const added = fetches ? [discover] : [discover, { id: free("fetch"), type: "content_retriever" }]
  const chain = added.map(({ id }) => id)
  const executors = [...added, ...nodes]
  const edges = definition["edges"]
  if (!Array.isArray(edges)) {
    const sequence = definition["execution_sequence"]
    return Array.isArray(sequence)
      ? { ...definition, executors, execution_sequence: [...chain, ...sequence] }
      : { ...definition, executors }
  }
  const reached = new Set(edges.flatMap((edge: unknown) => (isFields(edge) ? targetsIn(edge["to"]) : [])))
  const firsts = nodes.flatMap(({ id }) => (typeof id === "string" && !reached.has(id) ? [id] : []))
  const links = chain.slice(1).map((to, index) => ({ from: chain[index], to }))
  const starts = firsts.map((to) => ({ from: chain.at(-1), to }))
  return { ...definition, executors, edges: [...links, ...starts, ...edges] }
}

const targetsIn = (to: unknown): ReadonlyArray<unknown> =>
  Array.isArray(to) ? to.flatMap(targetsIn) : isFields(to) ? [to["target"]] : [to]

/** The definition that runs, and the file with another in its place. */
const mainOf = (
  file: Fields
): { readonly definition: Fields | undefined; readonly put: (definition: Fields) => Fields } => {
  const { pipeline, pipelines } = file
  if (isFields(pipeline)) return { definition: pipeline, put: (changed) => ({ ...file, pipeline: changed }) }
  const [first, ...others] = listOf(pipelines)
  if (first !== undefined)
    return { definition: first, put: (changed) => ({ ...file, pipelines: [changed, ...others] }) }
  return { definition: "executors" in file ? file : undefined, put: (changed) => changed }
}

const placeOf = (settings: Fields, account: string, container: string): ReadonlyArray<Place> => {
  const named = { account: settings[account], container: settings[container] }
  return typeof named.account === "string" && typeof named.container === "string"
    ? [{ account: named.account, container: named.container }]
    : []
}

const isOf = (
  executor: { readonly type: string; readonly aliases: ReadonlyArray<string> },
  { type }: Fields
): boolean => type === executor.type || executor.aliases.some((alias) => alias === type)

const settingsOf = ({ settings }: Fields): Fields => (isFields(settings) ? settings : {})

const listOf = (value: unknown): ReadonlyArray<Fields> => (Array.isArray(value) ? value.filter(isFields) : [])

const isFields = (value: unknown): value is Fields => Predicate.isRecord(value) && !Array.isArray(value)

/** JSON is YAML, too. */
const written = (value: unknown): string =>
  JSON.stringify(value, (_, each: unknown) => (typeof each === "bigint" ? Number(each) : each))
