import process from "node:process"
import * as Conditions from "./conditions.ts"
import * as Exits from "./exits.ts"
import * as Yaml from "./yaml.ts"

/**
 * `main.ts [seconds] [seed]`: gives every reader inputs that are nested up to 100,000 levels deep, each reader in a process of its own, then random and
 * mutated conditions and YAML texts to this process. Ends with 1 on a finding.
 */
const [seconds = "600", from = String(Date.now() % 1_000_000)] = process.argv.slice(2)

const batch = 500

const rounds = (name: string, run: (seed: number) => unknown): void => {
  const until = Date.now() + Number(seconds) * 1_000 * 0.1
  let seed = Number(from)
  let texts = 0
  while (Date.now() < until) {
    run(seed)
    seed++
    texts += batch
  }
  process.stdout.write(`${name}: ${texts} texts, seeds ${from} to ${seed - 1}, nothing found\n`)
}

const exits = await Exits.run(Number(seconds) * 0.8, Number(from))
const findings = exits.flatMap(({ finding }) => (finding === null ? [] : [finding]))
const inputs = exits.reduce((sum, each) => sum + each.inputs, 0)
process.stdout.write(
  `nested: ${exits.length} readers, ${inputs} inputs, each twice, seed ${from}, ${findings.length === 0 ? "nothing found" : `${findings.length} findings`}\n`
)
for (const finding of findings) process.stdout.write(`${finding}\n`)
rounds("conditions", (seed) => Conditions.fuzz(seed, batch))
rounds("yaml", (seed) => Yaml.fuzz({ seed, iterations: batch }))
if (findings.length > 0) process.exitCode = 1
