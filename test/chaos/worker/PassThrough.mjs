import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { writeSync } from "node:fs"
import process from "node:process"

/*
 * `pass_through` does what a document's text asks for: it `lingers 7000 ms`, or `kills its worker` without a word, as a fault in native code
 * does. Node runs what was built, Deno the source: the executor that the worker itself will load is changed.
 */

const [folder, extension] = "Deno" in globalThis ? ["src", "ts"] : ["dist", "js"]
const path = `../../../${folder}/executors/control/PassThrough.${extension}`
const { executor } = await import(new URL(path, import.meta.url).href)

const textOf = ({ data }) => String(data["document_output"]?.text ?? "")

const obey = (items) =>
  Effect.suspend(() => {
    const killer = items.find((item) => textOf(item).includes("kills its worker"))
    if (killer !== undefined) {
      writeSync(2, `A document kills its worker: ${killer.id.canonical_id}\n`)
      process.kill(process.pid, "SIGKILL")
    }
    const waits = items.map((item) => Number(/lingers (\d+) ms/.exec(textOf(item))?.[1] ?? 0))
    return Effect.sleep(Duration.millis(Math.max(0, ...waits)))
  })

const { prepare } = executor
Object.assign(executor, {
  prepare: (settings) =>
    Either.map(
      prepare(settings),
      (build) => (context) =>
        Effect.map(build(context), (instance) => ({
          ...instance,
          process: (items) => Effect.zipRight(obey(items), instance.process(items))
        }))
    )
})
