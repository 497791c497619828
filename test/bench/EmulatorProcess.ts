import { CosmosClient } from "@azure/cosmos"
import { QueueClient } from "@azure/storage-queue"
import { Effect } from "effect"
import process from "node:process"
import { createInterface } from "node:readline"
import * as Emulators from "../../src/cli/demo/Emulators.ts"
import * as Bench from "./Bench.ts"
import { containers, database, type EmulatorAddresses, queueName } from "./Emulation.ts"

/**
 * The emulators in a process of their own, so that they cost the measured process nothing, and the feeder of their queue. Says where it
 * listens in one line of JSON; then reads lines: `feed <tasks>` begins, `done <count>` says how many tasks are done. Ends with its input.
 */

/** Tasks in the queue at most: Azurite's cost of a call grows with the queue. */
const backlog = 150
/** Finished executions older than this many tasks are deleted: the Cosmos emulator's cost of a patch grows with the container. */
const kept = 2 * backlog
const lanes = 8

const feeder = (storage: Emulators.StorageAddresses, cosmosEndpoint: string) => {
  const queue = new QueueClient(storage.connectionString, queueName)
  const documents = new CosmosClient({
    endpoint: cosmosEndpoint,
    key: Emulators.cosmosKey,
    connectionPolicy: { enableEndpointDiscovery: false }
  }).database(database)
  const executions = documents.container(containers.executions)
  let next = 0
  let done = 0
  let total = 0
  let wake: Array<() => void> = []

  const lane = async () => {
    while (next < total) {
      if (next - done >= backlog) {
        await new Promise<void>((resume) => wake.push(resume))
        continue
      }
      const number = next++
      await executions.items.create(Bench.execution(number))
      await queue.sendMessage(Bench.message(number))
      const old = number - kept
      if (old >= 0) await executions.item(`exec_${old}`, `exec_${old}`).delete()
    }
  }

  return {
    prepare: async () => {
      await queue.createIfNotExists()
      await documents.client.databases.createIfNotExists({ id: database })
      for (const id of Object.values(containers)) {
        await documents.containers.createIfNotExists({ id, partitionKey: { paths: ["/id"] } })
      }
      await documents.container(containers.pipelines).items.upsert(Bench.pipeline)
      await documents.container(containers.vaults).items.upsert(Bench.vault)
    },
    feed: (tasks: number) => {
      total += tasks
      return Promise.all(Array.from({ length: lanes }, lane))
    },
    finished: (count: number) => {
      done = count
      const waiting = wake
      wake = []
      for (const resume of waiting) resume()
    }
  }
}

const main = Effect.gen(function* () {
  const storage = yield* Emulators.storage
  const cosmosEndpoint = yield* Emulators.cosmos((server) => {
    // A busy machine may leave a connection alone for longer than the usual 5 s, and then use it as it is closed.
    server.keepAliveTimeout = 600_000
  })
  const { feed, finished, prepare } = feeder(storage, cosmosEndpoint)
  yield* Effect.promise(prepare)
  const addresses: EmulatorAddresses = { storage, cosmosEndpoint }
  process.stdout.write(`${JSON.stringify(addresses)}\n`)
  yield* Effect.async<void>((resume) => {
    const lines = createInterface({ input: process.stdin })
    lines.on("line", (line) => {
      const [verb, count] = line.split(" ")
      if (verb === "done") finished(Number(count))
      else feed(Number(count)).catch((cause: unknown) => resume(Effect.die(cause)))
    })
    lines.on("close", () => resume(Effect.void))
  })
}).pipe(Effect.scoped)

// Azurite's dependencies make Node warn of things that nobody can change here.
process.noDeprecation = true
await Effect.runPromise(main)
process.exit(0)
