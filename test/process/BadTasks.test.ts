import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import * as Emulators from "../../src/testing/Emulators.ts"
import { eventually } from "../../src/testing/Eventually.ts"
import { text, writePdf } from "../support/Pdf.ts"
import * as Tasks from "../support/Tasks.ts"
import * as WorkerProcess from "../support/WorkerProcess.ts"

const definition = (container: string, extractor: string) => `
pipeline:
  name: reading
  executors:
    - {id: discover, type: azure_blob_input_discovery,
       settings: {blob_storage_account: devstoreaccount1, blob_container_name: ${container}, polling_interval_seconds: 1}}
    - {id: fetch, type: azure_blob_content_retriever}
    - {id: extract, type: ${extractor}}
  edges:
    - {from: discover, to: fetch}
    - {from: fetch, to: extract}
`

const pdf = (words: string) => writePdf({ pages: [{ content: text(72, 700, words) }] })
const good = pdf("A good document")

const documents = {
  "good.pdf": good,
  "torn.pdf": good.subarray(0, 150),
  "locked.pdf": writePdf({ pages: [{ content: text(72, 700, "Secret") }], encrypt: { password: "open sesame" } }),
  "letter.pdf": "Dear reader, this is only a text with the wrong ending.",
  "empty.pdf": ""
}

type Stored = Readonly<Record<string, unknown>>

const pathOf = ({ content }: Stored): string => {
  const [first] = content as ReadonlyArray<{ readonly path?: string; readonly id?: { readonly path: string } }>
  return first?.id?.path ?? first?.path ?? ""
}

const ended = (executions: ReadonlyArray<Stored>) =>
  executions.filter(({ status }) => status === "completed" || status === "failed")

describe("What can't be processed, in a worker process", () => {
  layer(Emulators.emulators, { excludeTestServices: true })((it) => {
    it.scoped(
      "each ends in an error of its own that people can read, its message is put aside, and the worker goes on",
      () =>
        Effect.gen(function* () {
          const installation = yield* Emulators.installation("bad-tasks")
          const { poison, tasks } = installation
          yield* Emulators.upload(installation, "bad-documents", documents)
          yield* Emulators.register(installation, "reading", definition("bad-documents", "pdf_extractor"))
          yield* Emulators.register(installation, "unknown-type", definition("bad-documents", "pdf_extracter"))
          yield* Emulators.register(installation, "no-yaml", 'pipeline:\n  name: "not closed\n  executors: []\n')
          yield* Tasks.enqueue(installation, "reading", ["vanished.pdf"], () => ({}))
          yield* Tasks.enqueue(installation, "unknown-type", ["unknown"], () => ({}))
          yield* Tasks.enqueue(installation, "no-yaml", ["unreadable"], () => ({}))
          yield* Effect.promise(() => tasks.sendMessage("no task at all"))
          const worker = yield* WorkerProcess.start(installation.env)
          const inVault = (id: string) => Emulators.executionsOf(installation, `${id}-vault`)

          const all = yield* eventually(
            "every document of the container, and the vanished one, has an end",
            inVault("reading"),
            (executions) => ended(executions).length === Object.keys(documents).length + 1
          )
          const errorOf = (path: string) => all.find((execution) => pathOf(execution) === path)?.["error"]
          assert.strictEqual(errorOf("good.pdf"), null)
          assert.match(String(errorOf("torn.pdf")), /torn\.pdf could not be read in extract\. .*damaged/)
          assert.match(String(errorOf("locked.pdf")), /locked\.pdf could not be read in extract\. .*password/)
          assert.match(String(errorOf("letter.pdf")), /letter\.pdf could not be read in extract\. Not a PDF/)
          assert.match(String(errorOf("empty.pdf")), /empty\.pdf could not be read in extract\. Not a PDF/)
          assert.match(String(errorOf("vanished.pdf")), /vanished\.pdf.*(not exist|not found)/)
          assert.strictEqual(Emulators.withStatus(all, "failed"), Object.keys(documents).length)

          // A vault whose pipeline is wrong has the task's execution and one that says why it is not crawled.
          const [unknown, unreadable] = yield* eventually(
            "the wrong pipelines say what is wrong",
            Effect.all([inVault("unknown-type"), inVault("no-yaml")]),
            (vaults) => vaults.every((executions) => ended(executions).length === 2)
          )
          for (const { error, status } of unknown) {
            assert.strictEqual(status, "failed")
            assert.match(String(error), /pdf_extracter/)
            assert.match(String(error), /pdf_extractor/)
          }
          for (const { error, status } of unreadable) {
            assert.strictEqual(status, "failed")
            assert.match(String(error), /line \d+/)
          }

          yield* eventually("no message is left", Emulators.depth(tasks), (left) => left === 0)
          const letters = (yield* Emulators.visible(poison)).map(({ messageText }): { reason: string; body: string } =>
            JSON.parse(messageText)
          )
          const failures = [...all, ...unknown, ...unreadable].filter(
            ({ status, task_id }) => status === "failed" && task_id !== null
          )
          assert.deepStrictEqual(
            letters
              .filter(({ body }) => body !== "no task at all")
              .map(({ reason }) => reason)
              .toSorted(),
            failures.map(({ error }) => String(error)).toSorted()
          )
          assert.match(letters.find(({ body }) => body === "no task at all")?.reason ?? "", /neither JSON nor base64/)
          for (const { error } of [...all, ...unknown, ...unreadable]) assert.notMatch(String(error), /\n\s+at /)

          yield* Emulators.upload(installation, "bad-documents", { "later.pdf": pdf("It goes on") })
          yield* eventually("a later document is processed", inVault("reading"), (executions) =>
            executions.some((execution) => execution["status"] === "completed" && pathOf(execution) === "later.pdf")
          )
          assert.notInclude(worker.stdout(), "The worker died")
          yield* worker.kill("SIGTERM")
          assert.deepStrictEqual(yield* worker.exit, { code: 0, signal: null })
        }),
      300_000
    )
  })
})
