import { Effect, Redacted, Schema, type Scope } from "effect"
import { spawn } from "node:child_process"
import process from "node:process"
import { createInterface } from "node:readline"
import * as Emulators from "../../src/cli/demo/Emulators.ts"
import type { AzureSettings } from "../../src/azure/AzureConfig.ts"
import { script, scriptArguments } from "../support/Scripts.ts"

/** Fresh emulators in a process of their own, and a feeder that keeps their queue short and never empty. */
export interface Emulation {
  readonly addresses: EmulatorAddresses
  /** Begins to bring this many tasks. */
  readonly feed: (tasks: number) => void
  /** Tells the feeder how many of all tasks are done by now. */
  readonly done: (count: number) => void
}

export const EmulatorAddresses = Schema.Struct({
  storage: Schema.Struct({ connectionString: Schema.String, queueUrl: Schema.String, blobUrl: Schema.String }),
  cosmosEndpoint: Schema.String
})
export type EmulatorAddresses = typeof EmulatorAddresses.Type

export const queueName = "tasks"
export const database = "contentflow"
export const containers: AzureSettings["containers"] = {
  pipelines: "pipelines",
  vaults: "vaults",
  executions: "vault_executions",
  locks: "vault_exec_locks",
  checkpoints: "vault_crawl_checkpoints"
}

export const settingsOf = ({ cosmosEndpoint, storage }: EmulatorAddresses): AzureSettings => ({
  queueUrl: null,
  queueName,
  poisonQueueName: `${queueName}-poison`,
  blobAccountName: Emulators.accountName,
  blobContainerName: "content",
  storageConnectionString: Redacted.make(storage.connectionString),
  cosmosEndpoint,
  cosmosKey: Redacted.make(Emulators.cosmosKey),
  cosmosDatabase: database,
  containers,
  clientId: null,
  createMissingResources: false
})

/** Starts them; they end with the scope. */
export const start: Effect.Effect<Emulation, never, Scope.Scope> = Effect.acquireRelease(
  Effect.async<{ readonly emulation: Emulation; readonly stop: () => void }>((resume) => {
    const child = spawn(process.execPath, [...scriptArguments, script(import.meta.url, "EmulatorProcess")], {
      stdio: ["pipe", "pipe", "inherit"]
    })
    const say = (line: string) => void child.stdin.write(`${line}\n`)
    child.once("exit", (code) => resume(Effect.dieMessage(`The emulators ended with code ${code}.`)))
    createInterface({ input: child.stdout }).once("line", (line) => {
      const addresses = Schema.decodeSync(Schema.parseJson(EmulatorAddresses))(line)
      const emulation = {
        addresses,
        feed: (tasks: number) => say(`feed ${tasks}`),
        done: (count: number) => say(`done ${count}`)
      }
      resume(Effect.succeed({ emulation, stop: () => child.kill() }))
    })
  }),
  ({ stop }) => Effect.sync(stop)
).pipe(Effect.map(({ emulation }) => emulation))
