import { BlobServiceClient } from "@azure/storage-blob"
import { type QueueClient, QueueServiceClient } from "@azure/storage-queue"
import { CosmosClient, type Container } from "@azure/cosmos"
import { Effect, Schedule } from "effect"
import * as Emulators from "../../src/cli/demo/Emulators.ts"
import { ExecutionId, executionIdOf, PipelineId, VaultId } from "../../src/domain/Ids.ts"
import { containers, type EmulatorAddresses } from "../bench/Emulation.ts"

/** What the installation looks like at the beginning: some streams of documents, one of them used by two vaults. */
export const database = "contentflow"
export const queueName = "tasks"
export const outputs = "outputs"

export interface Stream {
  /** Of its pipeline and of its blob container. */
  readonly name: string
  readonly vaults: ReadonlyArray<string>
  /** Its part of all tasks. */
  readonly share: number
}

export const streams = {
  shared: { name: "shared", vaults: ["shared-one", "shared-two"], share: 0.35 },
  single: { name: "single", vaults: ["single-vault"], share: 0.2 },
  /** Its documents take seconds, and a few kill their worker. */
  slow: { name: "slow", vaults: ["slow-vault"], share: 0.05 },
  /** Its vault is disabled for a while. */
  paused: { name: "paused", vaults: ["paused-vault"], share: 0.1 },
  /** Its vault is deleted in the middle. */
  doomed: { name: "doomed", vaults: ["doomed-vault"], share: 0.1 },
  /** Its outputs follow its documents, which a model is asked about. */
  followed: { name: "followed", vaults: ["followed-vault"], share: 0.15 },
  /** Its tasks are sent by somebody else; its vault is not crawled. */
  sent: { name: "sent", vaults: ["sent-vault"], share: 0.05 }
} as const satisfies Readonly<Record<string, Stream>>

/** What is in a version of a document. */
export type Contents =
  | {
      readonly _tag: "Sound"
      readonly lingersMillis: number
      /** Of a document whose outputs follow it: each row becomes one. */
      readonly rows?: number
    }
  /** Its tasks must fail. */
  | { readonly _tag: "Broken" }
  /** Its tasks must be set aside as crashes. */
  | { readonly _tag: "Killer" }

/** A version of a document that is to be brought. */
export interface Draft {
  readonly stream: Stream
  readonly name: string
  /** What its output must contain: `marker-<number>-`, and a newer version has a higher number. */
  readonly marker: string
  readonly contents: Contents
}

/** The documents whose outputs are to be exactly what the present ones give. */
export const isFollowed = ({ stream }: Pick<Draft, "stream">): boolean => stream === streams.followed

/** One version of an uploaded document. */
export interface Version extends Draft {
  readonly lastModified: Date
  /** By vault. */
  readonly executions: ReadonlyMap<string, string>
}

/** The pipeline of a stream, in one of several forms that all do the same work. */
export const yamlOf = (stream: Stream, edition: number, account: string = Emulators.accountName): string =>
  stream === streams.followed ? askingYaml(stream, edition, account) : usualYaml(stream, edition, account)

const usualYaml = ({ name }: Stream, edition: number, account: string): string => `
pipeline:
  name: ${name}
  description: Edition ${edition}
  executors:
    - {id: ${inputOf(edition)}, type: azure_blob_input_discovery,
       settings: {blob_storage_account: ${account}, blob_container_name: ${name}, polling_interval_seconds: 3}}
    - {id: fetch, type: azure_blob_content_retriever, settings: {use_temp_file_for_content: true}}
    - {id: extract, type: document_extractor}
    - {id: chunk, type: recursive_text_chunker, settings: {input_field: document_output.text, chunk_size: ${500 + edition}}}
    - {id: obey, type: pass_through}
    - {id: write, type: azure_blob_output,
       settings: {storage_account_name: ${account}, container_name: ${outputs},
                  path_template: ${name}/, filename_template: "{id.filename}.json"}}
  edges:
    - {from: ${inputOf(edition)}, to: fetch}
    - {from: fetch, to: extract}
    - {from: extract, to: chunk}
    - {from: chunk, to: obey}
    - {from: obey, to: write}
`

/** Asks about a document, then about each of its rows. No edit changes a question. */
const askingYaml = ({ name }: Stream, edition: number, account: string): string => `
pipeline:
  name: ${name}
  description: Edition ${edition}
  executors:
    - {id: ${inputOf(edition)}, type: azure_blob_input_discovery,
       settings: {blob_storage_account: ${account}, blob_container_name: ${name}, polling_interval_seconds: 3}}
    - {id: fetch, type: azure_blob_content_retriever, settings: {use_temp_file_for_content: true}}
    - {id: extract, type: document_extractor}
    - {id: summary, type: text_summarizer,
       settings: {input_field: document_output.text, endpoint: "${modelAddress}", deployment_name: stand-in}}
    - {id: split, type: table_row_splitter,
       settings: {table_field: document_output.text, table_format: csv, row_id_field: number, keep_lineage: true,
                  preserve_parent_data: true, parent_data_fields: [summary]}}
    - {id: row, type: text_summarizer,
       settings: {input_field: row_data.text, output_field: told, endpoint: "${modelAddress}", deployment_name: stand-in}}
    - {id: ${edition % 3 === 0 ? "write" : "store"}, type: azure_blob_output,
       settings: {storage_account_name: ${account}, container_name: ${outputs}, pretty_print: ${edition % 2 === 0},
                  path_template: ${name}/, filename_template: "{id.filename}-{row_data.number}.json"}}
  execution_sequence: [${inputOf(edition)}, fetch, extract, summary, split, row, ${edition % 3 === 0 ? "write" : "store"}]
`

/** Stands for the door of each worker to the model: one address for all, as it counts for what was asked already. */
export const modelAddress = "http://models.localhost/v1"

/** An edit may rename the input node under tasks that name the old one. */
const inputOf = (edition: number) => (edition % 2 === 0 ? "discover" : "find")

export interface World {
  readonly tasks: QueueClient
  readonly poison: QueueClient
  readonly blobs: BlobServiceClient
  readonly documents: { readonly [name in keyof typeof containers]: Container }
}

/** A call of a bystander: it has nothing to prove, and waits until the emulators are there. */
export const call = <A>(run: () => Promise<A>): Effect.Effect<A> =>
  Effect.tryPromise(run).pipe(
    Effect.timeout("20 seconds"),
    Effect.retry(Schedule.spaced("500 millis").pipe(Schedule.intersect(Schedule.recurs(60)))),
    Effect.orDie
  )

export const open = ({ cosmosEndpoint, storage }: EmulatorAddresses): World => {
  const queues = QueueServiceClient.fromConnectionString(storage.connectionString)
  const client = new CosmosClient({
    endpoint: cosmosEndpoint,
    key: Emulators.cosmosKey,
    connectionPolicy: { enableEndpointDiscovery: false }
  })
  const container = (name: keyof typeof containers) => client.database(database).container(containers[name])
  return {
    tasks: queues.getQueueClient(queueName),
    poison: queues.getQueueClient(`${queueName}-poison`),
    blobs: BlobServiceClient.fromConnectionString(storage.connectionString),
    documents: {
      pipelines: container("pipelines"),
      vaults: container("vaults"),
      executions: container("executions"),
      locks: container("locks"),
      checkpoints: container("checkpoints")
    }
  }
}

/** Makes the resources of an installation, its pipelines and its vaults. */
export const prepare = ({ blobs, documents, poison, tasks }: World): Effect.Effect<void> =>
  Effect.gen(function* () {
    yield* call(() => tasks.createIfNotExists())
    yield* call(() => poison.createIfNotExists())
    const client = documents.pipelines.database.client
    yield* call(() => client.databases.createIfNotExists({ id: database }))
    for (const id of Object.values(containers)) {
      yield* call(() => documents.pipelines.database.containers.createIfNotExists({ id, partitionKey: "/id" }))
    }
    for (const name of [outputs, ...Object.values(streams).map((stream) => stream.name)]) {
      yield* call(() => blobs.getContainerClient(name).createIfNotExists())
    }
    for (const stream of Object.values(streams)) {
      yield* storePipeline(documents.pipelines, stream, 0)
      for (const vault of stream.vaults) {
        yield* storeVault(documents.vaults, vault, stream, stream !== streams.sent)
      }
    }
  })

export const storePipeline = (pipelines: Container, stream: Stream, edition: number) =>
  call(() =>
    pipelines.items.upsert({ id: stream.name, name: stream.name, yaml: yamlOf(stream, edition), enabled: true })
  )

export const storeVault = (vaults: Container, id: string, stream: Stream, enabled: boolean) =>
  call(() =>
    vaults.items.upsert({
      id,
      pipeline_id: stream.name,
      enabled,
      save_execution_output: id === "shared-one",
      // Nobody is there to confirm that many documents may go at once.
      ...(stream === streams.followed ? { on_source_deleted: "remove", max_deletions_percent: 100 } : {})
    })
  )

/** A document's canonical id, as the discovery names it. */
export const canonicalId = (stream: Stream, name: string): string =>
  `https://${Emulators.accountName}.blob.core.windows.net/${stream.name}/${name}`

/** `stream/name`: a document, whatever its version. */
export const keyOf = ({ name, stream }: Pick<Draft, "name" | "stream">): string => `${stream.name}/${name}`

/** The outputs of a version as {@link keyOf} names them. */
export const outputsOf = (draft: Draft): ReadonlyArray<string> =>
  draft.contents._tag === "Sound" && draft.contents.rows !== undefined
    ? Array.from({ length: draft.contents.rows }, (_, index) => `${keyOf(draft)}-${index + 1}`)
    : [keyOf(draft)]

/** Whether an output follows its document. */
export const isOfFollowed = (output: string): boolean => output.startsWith(`${streams.followed.name}/`)

/** The document that an output is of. */
export const documentOf = (output: string): string => (isOfFollowed(output) ? output.replace(/-\d+$/, "") : output)

/** What a row says, whatever its document is called. */
export const rowOf = ({ marker }: Pick<Draft, "marker">, number: number): string => `${marker} row ${number}`

/** The bytes of a version, all of them text. */
export const bodyOf = (draft: Draft): string => {
  const { contents, marker, name } = draft
  if (contents._tag === "Sound" && contents.rows !== undefined) {
    const lines = outputsOf(draft).map((_, index) => {
      const asks = index === 0 ? `It lingers ${contents.lingersMillis} ms.` : ""
      return `${index + 1},${rowOf(draft, index + 1)}. ${asks}`
    })
    return ["number,text", ...lines, ""].join("\n")
  }
  const text = (asks: string) => `${marker} ${asks}`.padEnd(3_000, `The text of ${name} goes on. `)
  switch (contents._tag) {
    case "Sound":
      return text(`It lingers ${contents.lingersMillis} ms. `)
    case "Broken":
      return `%PDF-1.7\n${text("")}`
    case "Killer":
      return text("It kills its worker. ")
  }
}

/** Uploads a document and tells under which executions it must be found. */
export const upload = ({ blobs }: World, draft: Draft): Effect.Effect<Version> =>
  Effect.gen(function* () {
    const { name, stream } = draft
    const body = bodyOf(draft)
    const client = blobs.getContainerClient(stream.name).getBlockBlobClient(name)
    const { etag = "", lastModified = new Date() } = yield* call(() => client.upload(body, Buffer.byteLength(body)))
    const executions = new Map(
      stream.vaults.map((vault) => [
        vault,
        executionIdOf({
          vaultId: VaultId.make(vault),
          pipelineId: PipelineId.make(stream.name),
          items: [canonicalId(stream, name)],
          // Listings name it without its quotes.
          versions: [etag.replaceAll('"', "")]
        })
      ])
    )
    return { ...draft, lastModified, executions }
  })

export const remove = ({ blobs }: World, { name, stream }: Draft): Effect.Effect<void> =>
  Effect.asVoid(call(() => blobs.getContainerClient(stream.name).getBlockBlobClient(name).deleteIfExists()))

/**
 * Uploads a document and sends its task as the Python worker does: the execution first, then the message, which says when the document changed. The document may be deleted
 * before anybody can have read it.
 */
export const send = (world: World, draft: Draft, deleted: boolean): Effect.Effect<Version> =>
  Effect.gen(function* () {
    const { name, stream } = draft
    const version = yield* upload(world, draft)
    if (deleted) yield* remove(world, draft)
    const [vault = ""] = stream.vaults
    const suffix = Buffer.from(name).toString("hex").slice(-12).padStart(12, "0")
    const executionId = ExecutionId.make(`exec_${suffix}`)
    const item = {
      id: {
        canonical_id: canonicalId(stream, name),
        unique_id: name,
        source_name: Emulators.accountName,
        source_type: "azure_blob",
        container: stream.name,
        path: name,
        filename: name,
        metadata: {
          size: Buffer.byteLength(bodyOf(draft)),
          last_modified: version.lastModified.toISOString().replace("Z", "000+00:00"),
          content_type: "application/octet-stream"
        }
      },
      summary_data: {},
      data: {},
      executor_logs: []
    }
    const created_at = new Date().toISOString().replace("Z", "000+00:00")
    const identity = { pipeline_id: stream.name, pipeline_name: stream.name, vault_id: vault, created_at }
    yield* call(() =>
      world.documents.executions.items.upsert({
        ...identity,
        id: executionId,
        task_id: `task_${suffix}`,
        status: "pending",
        status_message: "Task queued for processing with input content of size 1",
        source_worker_id: "InputSourceWorker-0",
        created_by: "InputSourceWorker-0",
        content: [item],
        number_of_items: 1,
        started_at: null,
        completed_at: null,
        error: null,
        executor_outputs: {},
        events: []
      })
    )
    const message = {
      task_type: "content_processing",
      payload: {
        ...identity,
        task_id: `task_${suffix}`,
        task_type: "content_processing",
        priority: "normal",
        execution_id: executionId,
        content: [item],
        executed_input_executor: "discover",
        retry_count: 0,
        max_retries: 3
      }
    }
    yield* call(() => world.tasks.sendMessage(JSON.stringify(message)))
    return { ...version, executions: new Map([[vault, executionId]]) }
  })

/** As the API deletes a vault: the document, then what belongs to it. */
export const deleteVault = ({ documents }: World, vault: string) =>
  Effect.gen(function* () {
    yield* call(() => documents.vaults.item(vault, vault).delete())
    for (const container of [documents.executions, documents.checkpoints]) {
      const query = {
        query: "SELECT * FROM c WHERE c.vault_id = @vault",
        parameters: [{ name: "@vault", value: vault }]
      }
      const { resources } = yield* call(() => container.items.query<{ readonly id: string }>(query).fetchAll())
      for (const { id } of resources) yield* Effect.ignore(Effect.tryPromise(() => container.item(id, id).delete()))
    }
  })
