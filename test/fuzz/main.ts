import process from "node:process"
import * as Conditions from "./conditions.ts"
import * as Yaml from "./yaml.ts"

/** Random and mutated conditions and YAML texts for so many seconds each: `sh test/fuzz/run.sh [seconds] [seed]`. Ends with 1 on a finding. */
const [seconds = "60", from = String(Date.now() % 1_000_000)] = process.argv.slice(2)

const batch = 2_000

const rounds = (name: string, run: (seed: number) => unknown): void => {
  const until = Date.now() + Number(seconds) * 1_000
  let seed = Number(from)
  let texts = 0
  while (Date.now() < until) {
    run(seed)
    seed++
    texts += batch
  }
  process.stdout.write(`${name}: ${texts} texts, seeds ${from} to ${seed - 1}, nothing found\n`)
}

rounds("conditions", (seed) => Conditions.fuzz(seed, batch))
rounds("yaml", (seed) => Yaml.fuzz({ seed, iterations: batch }))
