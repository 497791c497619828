import { assert, describe, layer } from "@effect/vitest"
import { Effect, Either } from "effect"
import { createHash } from "node:crypto"
import { setTimeout } from "node:timers/promises"
import * as Connect from "../../src/cli/demo/Connect.ts"
import * as Pdf from "../../src/cli/demo/Pdf.ts"
import * as AnalysisStandIn from "../../src/cli/demo/standins/AnalysisStandIn.ts"
import * as ModelStandIn from "../../src/cli/demo/standins/ModelStandIn.ts"
import * as StandIn from "../../src/cli/demo/standins/StandIn.ts"
import * as Emulators from "../support/Emulators.ts"
import { eventually } from "../support/Eventually.ts"
import * as WorkerProcess from "../support/WorkerProcess.ts"

/** Three calls that are paid for, for each document: an analysis, and two questions to a model at the same time. */
const definition = `
pipeline:
  name: paid
  executors:
    - {id: discover, type: azure_blob_input_discovery}
    - {id: fetch, type: azure_blob_content_retriever}
    - {id: analyze, type: azure_document_intelligence_extractor, settings: {polling_interval_seconds: 0.3}}
    - {id: summary, type: text_summarizer, settings: {input_field: doc_intell_output.text}}
    - {id: entities, type: entity_extractor, settings: {input_field: doc_intell_output.text}}
    - {id: join, type: fan_in_aggregator}
    - {id: write, type: azure_blob_output, settings: {path_template: out/, filename_template: "{id.filename}.json"}}
  edges:
    - {from: discover, to: fetch}
    - {from: fetch, to: analyze}
    - {from: analyze, to: [summary, entities], type: parallel}
    - {from: [summary, entities], to: join, type: join}
    - {from: join, to: write}
`
const paidCalls = 3

/** A stand-in that takes its time, and what it was paid for: how often for each question. */
const slow = (handle: StandIn.Handler, questionOf: (request: StandIn.Request) => string | undefined, millis: number) =>
  Effect.gen(function* () {
    const paid = new Map<string, number>()
    const url = yield* StandIn.serve(async (request) => {
      const question = questionOf(request)
      if (question !== undefined) {
        // It is paid for when it arrives, whatever becomes of the answer.
        paid.set(question, (paid.get(question) ?? 0) + 1)
        await setTimeout(millis)
      }
      return handle(request)
    })
    return { url, paid }
  })

const hash = (text: string | Uint8Array) => createHash("sha1").update(text).digest("hex")

const analysisOf = ({ body, method }: StandIn.Request) => (method === "POST" ? hash(body) : undefined)

/** The same question has other marks around the document each time. */
const questionOf = ({ body }: StandIn.Request) => hash(body.toString().replaceAll(/(?:DOCUMENT|END) \w+/g, ""))

const sum = (paid: ReadonlyMap<string, number>) => [...paid.values()].reduce((all, times) => all + times, 0)

describe("a worker process that dies between calls that are paid for", () => {
  layer(Emulators.emulators, { excludeTestServices: true })((it) => {
    it.scoped(
      "kill -9, twice: nothing is lost, and no more is paid again than what was under way",
      () =>
        Effect.gen(function* () {
          const documents = Array.from({ length: 24 }, (_, number) => `report-${number}.pdf`)
          const analysis = yield* slow(AnalysisStandIn.make().handle, analysisOf, 100)
          const models = yield* slow(ModelStandIn.handle, questionOf, 700)
          const installation = yield* Emulators.installation("paid")
          const { yaml } = Either.getOrThrow(
            Connect.connect(definition, {
              account: "devstoreaccount1",
              documentsContainer: "paid-in",
              outputContainer: "paid-out",
              temporaryFolder: "./tmp",
              services: { models: `${models.url}/v1`, analysis: analysis.url, search: "http://127.0.0.1:1" }
            })
          )
          yield* Emulators.upload(installation, "paid-out", {})
          yield* Emulators.upload(
            installation,
            "paid-in",
            Object.fromEntries(documents.map((name) => [name, Pdf.writePdf(name, [[`The Library wrote ${name}.`]])]))
          )
          yield* Emulators.register(installation, "paid", yaml, { save_execution_output: true })
          const workers = 4
          const env = {
            ...installation.env,
            NUM_PROCESSING_WORKERS: String(workers),
            QUEUE_VISIBILITY_TIMEOUT_SECONDS: "10",
            LOCK_TTL_SECONDS: "10"
          }
          const paid = () => sum(analysis.paid) + sum(models.paid)
          const kills = [14, 40]
          for (const after of kills) {
            const worker = yield* WorkerProcess.start(env)
            yield* eventually(`${after} calls are paid for`, Effect.sync(paid), (calls) => calls >= after)
            yield* worker.kill("SIGKILL")
            assert.deepStrictEqual(yield* worker.exit, { code: null, signal: "SIGKILL" })
          }
          yield* WorkerProcess.start(env)
          const executions = yield* eventually(
            "all documents are done",
            Emulators.executionsOf(installation, "paid-vault"),
            (all) => all.length >= documents.length && Emulators.withStatus(all, "completed") === all.length
          )
          assert.lengthOf(executions, documents.length)
          assert.isTrue(executions.every(({ error }) => error === null))
          yield* eventually("no message is left", Emulators.depth(installation.tasks), (left) => left === 0)
          assert.strictEqual(yield* Emulators.depth(installation.poison), 0)
          assert.sameMembers(
            yield* Emulators.blobNames(installation, "paid-out"),
            documents.map((name) => `out/${name}.json`)
          )

          const needed = paidCalls * documents.length
          assert.strictEqual(analysis.paid.size + models.paid.size, needed)
          const repeated = paid() - needed
          yield* Effect.logWarning(`${repeated} of ${paid()} calls were paid for again`)
          // What a document had paid for before its worker died is not kept, and no more than the workers' documents were under way.
          assert.isAtMost(repeated, kills.length * workers * paidCalls)
          const most = Math.max(...analysis.paid.values(), ...models.paid.values())
          assert.isAtMost(most, 1 + kills.length)
        }),
      300_000
    )
  })
})
