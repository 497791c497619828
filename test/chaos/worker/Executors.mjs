import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { writeSync } from "node:fs"
import process from "node:process"

/*
 * Two executor types beside the built-in ones, which do what a document's text asks for. Node runs what was built, Deno the source: a type
 * must join the list that the worker itself will read.
 */

const [folder, extension] = "Deno" in globalThis ? ["src", "ts"] : ["dist", "js"]
const load = (path) => import(new URL(`../../../${folder}/${path}.${extension}`, import.meta.url).href)
const { define } = await load("executor/Executor")
const { builtins } = await load("executors/Builtins")

const textOf = ({ data }) => String(data["document_output"]?.text ?? "")

/** Takes as long as the longest-lasting document says: `lingers 7000 ms`. */
const linger = define({
  type: "chaos_linger",
  category: "transform",
  name: "Linger",
  description: "Takes its time.",
  settings: {},
  make: () =>
    Effect.succeed({
      process: (items) => {
        const waits = items.map((item) => Number(/lingers (\d+) ms/.exec(textOf(item))?.[1] ?? 0))
        return Effect.as(Effect.sleep(Duration.millis(Math.max(0, ...waits))), items)
      }
    })
})

/** Ends the process without a word, as a parser's fault in native code does, on a document that says so. */
const kill = define({
  type: "chaos_kill",
  category: "transform",
  name: "Kill",
  description: "Kills its process.",
  settings: {},
  make: () =>
    Effect.succeed({
      process: (items) =>
        Effect.sync(() => {
          const killer = items.find((item) => textOf(item).includes("kills its worker"))
          if (killer !== undefined) {
            writeSync(2, `A document kills its worker: ${killer.id.canonical_id}\n`)
            process.kill(process.pid, "SIGKILL")
          }
          return items
        })
    })
})

builtins.push(linger, kill)
