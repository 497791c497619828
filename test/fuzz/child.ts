import { writeSync } from "node:fs"
import process from "node:process"
import { DocumentError } from "../../src/documents/DocumentError.ts"
import { readers } from "./Nested.ts"
import { randomOf } from "./yaml.ts"

/**
 * Gives one reader nested inputs for so many seconds, each of them twice, and says before each which one it is: whoever started this process knows
 * what it died of. `child.ts READER SECONDS SEED`; ends with 2 on an error that is no answer, with 3 on one that took too long.
 */
const [name = "", seconds = "1", seed = "1"] = process.argv.slice(2)

const sizes = [100, 300, 1_000, 3_000, 10_000, 30_000, 100_000]

/** Far beyond what the slowest takes, in seconds of this process's own work: what else the machine does takes none of them. */
const patienceSeconds = 30

/** Written before anything else happens, since the process may end at once. */
const say = (line: string): void => {
  for (;;) {
    try {
      writeSync(1, `${line}\n`)
      return
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EAGAIN")) throw error
    }
  }
}

const secondsOfWork = (): number => {
  const { system, user } = process.cpuUsage()
  return (system + user) / 1e6
}

const reader = readers[name]
if (reader === undefined) throw new Error(`No reader is called ${name}`)

/** An answer may say that a document is beyond a limit, but not that the stack was. */
const isAnswer = (error: unknown): boolean => error instanceof DocumentError && !/call stack/i.test(error.message)

const random = randomOf(Number(seed))
const shapes = Object.entries(reader.shapes)
const all = shapes
  .flatMap(([shape, make]) => sizes.map((size) => ({ shape, make, size, order: random() })))
  .toSorted((a, b) => a.order - b.order)
const until = Date.now() + Number(seconds) * 1_000
let inputs = 0
for (let index = 0; Date.now() < until; index = (index + 1) % all.length) {
  const { make, shape, size } = all[index] ?? { make: () => "", shape: "", size: 0 }
  // After a first round the sizes are none of the usual ones.
  const levels = inputs < all.length ? size : Math.ceil(size * (0.3 + 0.7 * random()))
  for (const round of [1, 2]) {
    say(`${name}: ${shape}, ${levels} levels, time ${round}`)
    const began = secondsOfWork()
    try {
      await reader.read(make(levels))
    } catch (error) {
      if (!isAnswer(error)) {
        say(`not an answer: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`.slice(0, 2_000))
        process.exit(2)
      }
    }
    const took = secondsOfWork() - began
    if (took > patienceSeconds) {
      say(`took ${took.toFixed(1)} s`)
      process.exit(3)
    }
  }
  inputs++
}
say(`${inputs} inputs`)
process.exit(0)
