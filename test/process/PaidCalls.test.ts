import { assert, describe, layer } from "@effect/vitest"
import { Effect, Either } from "effect"
import { createHash } from "node:crypto"
import { setTimeout } from "node:timers/promises"
import * as Connect from "../../src/cli/demo/Connect.ts"
import * as Pdf from "../../src/cli/demo/Pdf.ts"
import * as AnalysisStandIn from "../../src/cli/demo/standins/AnalysisStandIn.ts"
import * as ModelStandIn from "../../src/cli/demo/standins/ModelStandIn.ts"
import * as StandIn from "../../src/cli/demo/standins/StandIn.ts"
import * as Emulators from "../../src/testing/Emulators.ts"
import { eventually } from "../../src/testing/Eventually.ts"
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

/** While it is closed no paid question is answered. */
interface Gate {
  isOpen: boolean
  /** Workers that have died: nobody hears an answer to a question of theirs. */
  deaths: number
}

/** A stand-in that takes its time, and what it was paid for: how often for each question, and how often for one that it had answered. */
const slow = (
  handle: StandIn.Handler,
  questionOf: (request: StandIn.Request) => string | undefined,
  millis: number,
  gate: Gate
) =>
  Effect.gen(function* () {
    const paid = new Map<string, number>()
    const answered = new Set<string>()
    const again: Array<string> = []
    const url = yield* StandIn.serve(async (request) => {
      const question = questionOf(request)
      if (question !== undefined) {
        // It is paid for when it arrives, whatever becomes of the answer.
        paid.set(question, (paid.get(question) ?? 0) + 1)
        if (answered.has(question)) again.push(question)
        const { deaths } = gate
        await setTimeout(millis)
        while (!gate.isOpen) await setTimeout(20)
        if (deaths === gate.deaths) answered.add(question)
      }
      return handle(request)
    })
    return { url, paid, answered, again }
  })

const hash = (text: string | Uint8Array) => createHash("sha1").update(text).digest("hex")

const analysisOf = ({ body, method }: StandIn.Request) => (method === "POST" ? hash(body) : undefined)

/** The same question has other marks around the document each time. */
const questionOf = ({ body }: StandIn.Request) => hash(body.toString().replaceAll(/(?:DOCUMENT|END) \w+/g, ""))

const sum = (paid: ReadonlyMap<string, number>) => [...paid.values()].reduce((all, times) => all + times, 0)

describe("a worker process that dies between calls that are paid for", () => {
  layer(Emulators.emulators, { excludeTestServices: true })((it) => {
    it.scoped(
      "kill -9, twice: no answer is paid for again, and a changed last step pays for nothing",
      () =>
        Effect.gen(function* () {
          const documents = Array.from({ length: 24 }, (_, number) => `report-${number}.pdf`)
          const gate: Gate = { isOpen: true, deaths: 0 }
          const analysis = yield* slow(AnalysisStandIn.make().handle, analysisOf, 100, gate)
          const models = yield* slow(ModelStandIn.handle, questionOf, 700, gate)
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
          const answers = () => analysis.answered.size + models.answered.size
          const kills = [14, 40]
          for (const after of kills) {
            const worker = yield* WorkerProcess.start(env)
            yield* eventually(`${after} calls are paid for`, Effect.sync(paid), (calls) => calls >= after)
            gate.isOpen = false
            yield* eventually(
              "what was answered is kept",
              Emulators.blobNames(installation, "contentflow-tasks"),
              (names) => names.filter((name) => name.startsWith("steps/")).length >= answers()
            )
            yield* worker.kill("SIGKILL")
            assert.deepStrictEqual(yield* worker.exit, { code: null, signal: "SIGKILL" })
            gate.deaths++
            gate.isOpen = true
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
          assert.deepStrictEqual([...analysis.again, ...models.again], [])
          // What had not been answered when its worker died could not be kept: of each document no more than was under way.
          const repeated = paid() - needed
          yield* Effect.logWarning(`${repeated} of ${paid()} calls were under way when their worker died`)
          assert.isAtMost(repeated, kills.length * workers * paidCalls)

          // Another vault with the same documents, whose pipeline differs in its last step.
          const before = paid()
          yield* Emulators.register(installation, "again", yaml.replace(/out\//g, "again/"))
          const again = yield* eventually(
            "all documents are done again",
            Emulators.executionsOf(installation, "again-vault"),
            (all) => all.length >= documents.length && Emulators.withStatus(all, "completed") === all.length
          )
          assert.lengthOf(again, documents.length)
          assert.strictEqual(paid(), before)
          for (const execution of again) {
            const outputs = execution["executor_outputs"] as Readonly<Record<string, Readonly<Record<string, unknown>>>>
            for (const node of ["analyze", "summary", "entities"]) {
              assert.deepInclude(outputs[node], { from: "kept" }, node)
              assert.isDefined(outputs[node]?.["saved"])
              assert.isUndefined(outputs[node]?.["usage"])
            }
          }
        }),
      300_000
    )
  })
})
