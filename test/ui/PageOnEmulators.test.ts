import { HttpServer } from "@effect/platform"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { assert, describe, it, layer } from "@effect/vitest"
import { Context, Duration, Effect, Layer, Logger, LogLevel } from "effect"
import * as AzureWorker from "../../src/AzureWorker.ts"
import { AzureConfig } from "../../src/azure/AzureConfig.ts"
import * as WorkerConfig from "../../src/config/WorkerConfig.ts"
import * as WorkerHttp from "../../src/http/HttpServer.ts"
import * as Emulators from "../../src/testing/Emulators.ts"
import * as Engine from "../support/MemoryEngine.ts"
import * as Tasks from "../support/Tasks.ts"
import * as Browser from "./Browser.ts"
import { at, button, eventually, press, progress, visit } from "./Tab.ts"
import { access, executors, healed, held, World, yaml } from "./World.ts"

const name = "page"
const vault = `${name}-vault`

/** The whole worker on the emulators, and its server. */
const serving = (installation: Emulators.Installation) =>
  Layer.build(
    WorkerHttp.layerAt("127.0.0.1", 0, access).pipe(
      Layer.provide(AzureWorker.layerWith({ executors })),
      Layer.provide(Layer.succeed(AzureConfig, installation.settings)),
      Layer.provide(
        WorkerConfig.layerWith({
          processingWorkers: 2,
          sourceWorkers: 1,
          schedulerInterval: Duration.seconds(1),
          queuePollInterval: Duration.seconds(1)
        })
      ),
      Layer.provide(NodeContext.layer),
      Layer.provide(Logger.minimumLogLevel(LogLevel.None))
    )
  ).pipe(
    Effect.map((context) => {
      const { address } = Context.get(context, HttpServer.HttpServer)
      return { url: address._tag === "TcpAddress" ? `http://127.0.0.1:${address.port}` : "" }
    })
  )

describe("the page over Azure Storage and Cosmos DB", () => {
  if ("Deno" in globalThis) {
    it.skip("is tested on Node alone: the browser's driver does not run on Deno", () => {})
    return
  }

  layer(Layer.merge(Browser.layer, Emulators.emulators), { excludeTestServices: true })((it) => {
    it.scoped("shows every view, and does what is clicked", () =>
      Effect.gen(function* () {
        const installation = yield* Emulators.installation(name)
        const { executions, pipelines, vaults } = installation.documents
        yield* pipelines.upsert({ id: name, name: "Line", yaml, enabled: true })
        yield* vaults.upsert({ id: vault, name: "Contracts", pipeline_id: name, enabled: true })
        const add = (number: number, document: string, more: Readonly<Record<string, unknown>>) =>
          executions.upsert({
            ...Engine.execution(number, more),
            pipeline_id: name,
            pipeline_name: "Line",
            vault_id: vault,
            content: [{ id: Engine.item(document).id }]
          })
        yield* add(1, "notes/retried.pdf", { status: "failed", error: "The file is cut short" })
        yield* add(2, "notes/long.pdf", {})
        yield* add(3, "notes/broken.pdf", {})
        held.set("notes/long.pdf", new Promise(() => {}))
        const send = (number: number, document: string) =>
          Effect.promise(() =>
            installation.tasks.sendMessage(Tasks.message(name, String(number), Engine.item(document)))
          )
        yield* send(2, "notes/long.pdf")
        yield* send(3, "notes/broken.pdf")
        yield* Effect.promise(() => installation.tasks.sendMessage("no task of ours"))
        const statusOf = (number: number) =>
          Effect.map(executions.read(`exec_${number}`), (found) =>
            found._tag === "Found" ? found.document["status"] : undefined
          ).pipe(Effect.orDie)
        const is = (number: number, status: string) =>
          eventually(Effect.map(statusOf(number), (found) => found === status))
        const server = yield* serving(installation)
        yield* is(2, "running")
        yield* is(3, "failed")
        const poisoned = Effect.promise(() =>
          installation.poison.getProperties().then(
            ({ approximateMessagesCount }) => approximateMessagesCount === 2,
            () => false
          )
        )
        yield* eventually(poisoned)
        healed.add("notes/broken.pdf")

        const { errors, page } = yield* Effect.provideService(at("/executions?status=failed"), World, server)
        yield* Effect.promise(async () => {
          await page.getByRole("link", { name: "notes/retried.pdf" }).click()
          await page.getByText("The file is cut short").first().waitFor()
          await button(page, "Retry: notes/retried.pdf").click()
          await page.getByText("It is in the queue again.").waitFor()
        })
        yield* is(1, "completed")

        yield* Effect.promise(async () => {
          await visit(page, "Executions")
          await page.getByRole("link", { name: "notes/long.pdf" }).click()
          await press(page, "Cancel: notes/long.pdf", "Cancel")
          await page.getByText("cancelled").first().waitFor()
        })
        yield* is(2, "failed")
        held.clear()

        yield* Effect.promise(async () => {
          await visit(page, "Poison queue")
          await page.getByText("2 in all").waitFor()
          await page.getByRole("link", { name: "notes/broken.pdf" }).click()
          await page.getByText("Page 3 of notes/broken.pdf can't be read").first().waitFor()
          await button(page, "Put back: notes/broken.pdf").click()
          await page.getByText("It is in the queue again.").waitFor()
          await visit(page, "Poison queue")
          await press(page, /^Discard: /, "Discard")
          await page.getByText("No messages match.").waitFor()
        })
        yield* is(3, "completed")

        yield* Effect.promise(async () => {
          await visit(page, "Vaults")
          await button(page, "Crawl now: Contracts").click()
          await page.getByText("A worker crawls it as soon as one is free.").waitFor()
          await button(page, "Pause: Contracts").click()
          await button(page, `Resume: the vault ${vault}`).waitFor()
          await button(page, "Resume: Contracts").click()
          await page.getByText("Nothing is paused.").waitFor()
          await page.getByRole("link", { name: "Contracts" }).click()
          await page.getByLabel("Documents").selectOption("all")
          await button(page, "Process again").click()
          const dialog = page.getByRole("dialog")
          await dialog.getByRole("button", { name: "Process 3 documents again", exact: true }).waitFor()
          await page.keyboard.press("Escape")
          await dialog.waitFor({ state: "detached" })
        })
        const count = Effect.map(Emulators.executionsOf(installation, vault), ({ length }) => length)
        assert.strictEqual(yield* count, 3)
        yield* Effect.promise(async () => {
          await press(page, "Process again", "Process 3 documents again")
          await progress(page).getByText("3 done, 0 skipped, 0 failed").waitFor()
        })
        assert.strictEqual(yield* count, 6)

        yield* Effect.promise(async () => {
          await visit(page, "Executions")
          await page.getByLabel("Status").selectOption("failed")
          await button(page, "Filter").click()
          await press(page, "Retry all", /^Retry 1 execution/)
          await progress(page).getByText("1 done, 0 skipped, 0 failed").waitFor()
          await visit(page, "Overview")
          await page.getByRole("heading", { name: "Failures by reason" }).waitFor()
          await visit(page, "Operations")
          await page.getByText("put back").first().waitFor()
          await visit(page, "Workers")
          await press(page, /^Drain/, "Drain")
          await page.getByText("It takes no more work within 15 seconds.").waitFor()
        })
        assert.deepStrictEqual(errors, [])
      })
    )
  })
})
