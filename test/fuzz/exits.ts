import { spawn } from "node:child_process"
import { existsSync } from "node:fs"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { readers } from "./Nested.ts"

/** What became of one reader. */
interface Exit {
  readonly reader: string
  /** Null when all went well. */
  readonly finding: string | null
  readonly inputs: number
}

/** A child that says nothing for so long hangs. */
const silenceMillis = 240_000

/** Readers that are tried at the same time. */
const atOnce = 2

/**
 * Runs every reader in a process of its own for its part of these seconds, on the runtime that runs this. A child's abnormal exit, its silence, or an
 * error that is no answer is a finding.
 */
export const run = async (seconds: number, seed: number): Promise<ReadonlyArray<Exit>> => {
  const waiting = Object.keys(readers)
  const part = Math.max(1, (seconds * atOnce) / waiting.length)
  const exits: Array<Exit> = []
  const worker = async (): Promise<void> => {
    for (let reader = waiting.shift(); reader !== undefined; reader = waiting.shift()) {
      exits.push(await child(reader, part, seed))
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return exits
}

const child = (reader: string, seconds: number, seed: number): Promise<Exit> =>
  new Promise((resolve) => {
    const process_ = spawn(process.execPath, [...script(), reader, String(seconds), String(seed)], {
      stdio: ["ignore", "pipe", "pipe"]
    })
    let last = ""
    let errors = ""
    let hung = false
    const onSilence = () => {
      hung = true
      process_.kill("SIGKILL")
    }
    let silence = setTimeout(onSilence, silenceMillis)
    process_.stdout.setEncoding("utf8").on("data", (text: string) => {
      last = (last + text).slice(-3_000)
      clearTimeout(silence)
      silence = setTimeout(onSilence, silenceMillis)
    })
    process_.stderr.setEncoding("utf8").on("data", (text: string) => {
      errors = (errors + text).slice(0, 2_000)
    })
    process_.on("close", (code, signal) => {
      clearTimeout(silence)
      const lines = last.trim().split("\n")
      const inputs = /^(\d+) inputs$/.exec(lines.at(-1) ?? "")?.[1]
      const ended = hung ? "hung" : signal === null ? `ended with ${code}` : `was ended by ${signal}`
      resolve(
        code === 0 && inputs !== undefined
          ? { reader, finding: null, inputs: Number(inputs) }
          : { reader, finding: `${reader} ${ended} after ${lines.slice(-8).join(" | ")}\n${errors}`, inputs: 0 }
      )
    })
  })

/** Beside this file: the built child on Node, its source on Deno. */
const script = (): ReadonlyArray<string> => {
  const built = fileURLToPath(new URL("child.mjs", import.meta.url))
  return existsSync(built) ? [built] : ["run", "-A", "--quiet", fileURLToPath(new URL("child.ts", import.meta.url))]
}
